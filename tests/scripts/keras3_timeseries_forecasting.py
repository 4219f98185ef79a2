"""Time-series forecasting: the temperature of tomorrow, from windows over the last days."""
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(42)

# a made-up weather record: three columns, the temperature first
hours = np.arange(3000)
temperature = 10 + 8 * np.sin(2 * np.pi * hours / 24) + 3 * np.sin(2 * np.pi * hours / 170) + np.random.normal(0, 0.5, 3000)
pressure = 990 + 5 * np.sin(2 * np.pi * hours / 170 + 1) + np.random.normal(0, 0.5, 3000)
wind = np.abs(np.random.normal(0, 3, 3000))
raw_data = np.stack([temperature, pressure, wind], axis=-1)

num_train_samples = int(0.5 * len(raw_data))
num_val_samples = int(0.25 * len(raw_data))

mean = raw_data[:num_train_samples].mean(axis=0)
raw_data -= mean
std = raw_data[:num_train_samples].std(axis=0)
raw_data /= std

sampling_rate = 2
sequence_length = 12
delay = sampling_rate * (sequence_length + 6 - 1)
batch_size = 64


def make_dataset(start_index, end_index):
    return keras.utils.timeseries_dataset_from_array(
        raw_data[:-delay],
        targets=temperature[delay:],
        sampling_rate=sampling_rate,
        sequence_length=sequence_length,
        shuffle=True,
        batch_size=batch_size,
        start_index=start_index,
        end_index=end_index,
    )


temperature = raw_data[:, 0].copy()
train_dataset = make_dataset(0, num_train_samples)
val_dataset = make_dataset(num_train_samples, num_train_samples + num_val_samples)
test_dataset = make_dataset(num_train_samples + num_val_samples, None)

for samples, targets in train_dataset:
    print("samples shape:", samples.shape)
    print("targets shape:", targets.shape)
    break


def evaluate_naive_method(dataset):
    total_abs_err = 0.0
    samples_seen = 0
    for samples, targets in dataset:
        preds = np.asarray(samples)[:, -1, 0]
        total_abs_err += np.sum(np.abs(preds - np.asarray(targets)))
        samples_seen += samples.shape[0]
    return total_abs_err / samples_seen


naive = evaluate_naive_method(test_dataset)
print(f"Naive test MAE: {naive:.2f}")

inputs = keras.Input(shape=(sequence_length, raw_data.shape[-1]))
x = layers.GRU(16, recurrent_dropout=0.1)(inputs)
x = layers.Dropout(0.1)(x)
outputs = layers.Dense(1)(x)
model = keras.Model(inputs, outputs)

model.compile(optimizer=keras.optimizers.RMSprop(5e-3), loss="mse", metrics=["mae"])
history = model.fit(train_dataset, epochs=8, validation_data=val_dataset, verbose=2)

test_mae = model.evaluate(test_dataset, verbose=0)[1]
print(f"Test MAE: {test_mae:.2f}")
assert test_mae < 0.5 * naive
