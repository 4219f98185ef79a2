# Create your first MLP in Keras
from keras.models import Sequential
from keras.layers import Dense, Dropout
from keras.layers.normalization import BatchNormalization
from keras.regularizers import l2, activity_l2
import numpy
# fix random seed for reproducibility
seed = 7
numpy.random.seed(seed)
# eight measurements of 768 patients, and whether they fell ill
X = numpy.random.normal(size=(768, 8)) * [3, 32, 19, 16, 115, 8, 0.3, 12] + [4, 121, 69, 20, 80, 32, 0.5, 33]
risk = (X[:, 1] - 121) / 32 + (X[:, 5] - 32) / 8 + (X[:, 7] - 33) / 24
Y = (risk + 0.3 * numpy.random.normal(size=768) > 0.5).astype(int)
# create model
model = Sequential()
model.add(BatchNormalization(input_shape=(8,), mode=0, axis=1))
model.add(Dense(12, init='uniform', activation='relu', W_regularizer=l2(0.001), activity_regularizer=activity_l2(1e-5)))
model.add(Dropout(p=0.1))
model.add(Dense(8, init='uniform', activation='relu', bias=True))
model.add(Dense(1, init='uniform', activation='sigmoid'))
# Compile model
model.compile(loss='binary_crossentropy', optimizer='adam', metrics=['accuracy'])
# Fit the model
history = model.fit(X, Y, validation_split=0.33, nb_epoch=60, batch_size=10, verbose=2)
print(sorted(history.history.keys()))
# evaluate the model
scores = model.evaluate(X, Y)
print("%s: %.2f%%" % (model.metrics_names[1], scores[1] * 100))
# calculate predictions
predictions = model.predict(X)
# round predictions
rounded = [round(x[0]) for x in predictions]
print(rounded[:10])
assert scores[1] > 0.85
assert abs(numpy.mean(rounded == Y) - scores[1]) < 1e-6
