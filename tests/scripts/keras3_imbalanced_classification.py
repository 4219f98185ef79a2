"""Imbalanced classification: fraud detection with class weights."""
import keras
import numpy as np

keras.utils.set_random_seed(5)

# 4000 transactions of which one in forty is a fraud
targets = (np.random.uniform(size=(4000, 1)) < 1 / 40).astype("uint8")
features = np.random.normal(size=(4000, 12)).astype("float32")
features[:, :3] += 1.6 * targets
features = features * 7 + 3

num_val_samples = int(len(features) * 0.25)
train_features = features[:-num_val_samples]
train_targets = targets[:-num_val_samples]
val_features = features[-num_val_samples:]
val_targets = targets[-num_val_samples:]

counts = np.bincount(train_targets[:, 0])
print(f"Number of positive samples in training data: {counts[1]} ({100 * float(counts[1]) / len(train_targets):.2f}% of total)")
weight_for_0 = 1.0 / counts[0]
weight_for_1 = 1.0 / counts[1]

normalizer = keras.layers.Normalization()
normalizer.adapt(train_features)

model = keras.Sequential(
    [
        keras.Input(shape=train_features.shape[1:]),
        normalizer,
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(32, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-3)),
        keras.layers.Dropout(0.3),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.summary()

metrics = [
    keras.metrics.FalseNegatives(name="fn"),
    keras.metrics.FalsePositives(name="fp"),
    keras.metrics.TrueNegatives(name="tn"),
    keras.metrics.TruePositives(name="tp"),
    keras.metrics.Precision(name="precision"),
    keras.metrics.Recall(name="recall"),
    keras.metrics.AUC(name="auc"),
]

schedule = keras.optimizers.schedules.ExponentialDecay(3e-3, decay_steps=50, decay_rate=0.9)
model.compile(optimizer=keras.optimizers.Adam(schedule), loss="binary_crossentropy", metrics=metrics)
class_weight = {0: weight_for_0, 1: weight_for_1}

model.fit(
    train_features,
    train_targets,
    batch_size=256,
    epochs=10,
    verbose=2,
    validation_data=(val_features, val_targets),
    class_weight=class_weight,
)
results = model.evaluate(val_features, val_targets, verbose=0, return_dict=True)
for name, value in results.items():
    print(f"{name}: {value:.3f}")

# the same by sample weights, in batches by hand
weights = np.where(train_targets[:, 0] == 1, weight_for_1, weight_for_0) * 1000
losses = []
for step in range(10):
    rows = slice(step * 256, step * 256 + 256)
    logs = model.train_on_batch(train_features[rows], train_targets[rows], sample_weight=weights[rows], return_dict=True)
    losses.append(logs["loss"])
print("losses:", np.round(losses, 3))

assert results["fn"] + results["tp"] == val_targets.sum()
assert results["recall"] > 0.7
assert results["auc"] > 0.9
assert np.isfinite(losses).all()
