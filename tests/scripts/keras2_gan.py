# train a generative adversarial network on a one-dimensional function
from numpy import hstack, zeros, ones
from numpy.random import rand, randn, seed
from keras.models import Sequential
from keras.layers import Dense

seed(1)


# define the standalone discriminator model
def define_discriminator(n_inputs=2):
    model = Sequential()
    model.add(Dense(25, activation='relu', kernel_initializer='he_uniform', input_dim=n_inputs))
    model.add(Dense(1, activation='sigmoid'))
    # compile model
    model.compile(loss='binary_crossentropy', optimizer='adam', metrics=['accuracy'])
    return model


# define the standalone generator model
def define_generator(latent_dim, n_outputs=2):
    model = Sequential()
    model.add(Dense(15, activation='relu', kernel_initializer='he_uniform', input_dim=latent_dim))
    model.add(Dense(n_outputs, activation='linear'))
    return model


# define the combined generator and discriminator model, for updating the generator
def define_gan(generator, discriminator):
    # make weights in the discriminator not trainable
    discriminator.trainable = False
    # connect them
    model = Sequential()
    # add generator
    model.add(generator)
    # add the discriminator
    model.add(discriminator)
    # compile model
    model.compile(loss='binary_crossentropy', optimizer='adam')
    return model


# generate n real samples with class labels
def generate_real_samples(n):
    X1 = (rand(n) - 0.5).reshape(n, 1)
    X2 = X1 * X1
    return hstack((X1, X2)), ones((n, 1))


# generate points in latent space as input for the generator
def generate_latent_points(latent_dim, n):
    return randn(latent_dim * n).reshape(n, latent_dim)


# use the generator to generate n fake examples, with class labels
def generate_fake_samples(generator, latent_dim, n):
    return generator.predict(generate_latent_points(latent_dim, n), verbose=0), zeros((n, 1))


# how far the fake examples are from the function
def error_of(generator, latent_dim, n=200):
    X, _ = generate_fake_samples(generator, latent_dim, n)
    return abs(X[:, 1] - X[:, 0] ** 2).mean()


# train the generator and discriminator
def train(g_model, d_model, gan_model, latent_dim, n_epochs=1500, n_batch=64, n_eval=500):
    half_batch = int(n_batch / 2)
    for i in range(n_epochs):
        # update discriminator
        x_real, y_real = generate_real_samples(half_batch)
        x_fake, y_fake = generate_fake_samples(g_model, latent_dim, half_batch)
        d_model.train_on_batch(x_real, y_real)
        d_model.train_on_batch(x_fake, y_fake)
        # update the generator via the discriminator's error, with inverted labels for the fake samples
        gan_model.train_on_batch(generate_latent_points(latent_dim, n_batch), ones((n_batch, 1)))
        # evaluate the model every n_eval epochs
        if (i + 1) % n_eval == 0:
            _, acc_real = d_model.evaluate(*generate_real_samples(100), verbose=0)
            _, acc_fake = d_model.evaluate(*generate_fake_samples(g_model, latent_dim, 100), verbose=0)
            print(i + 1, acc_real, acc_fake)


latent_dim = 5
discriminator = define_discriminator()
generator = define_generator(latent_dim)
gan_model = define_gan(generator, discriminator)
gan_model.summary()
before = error_of(generator, latent_dim)
train(generator, discriminator, gan_model, latent_dim)
after = error_of(generator, latent_dim)
print('Error before: %.3f, after: %.3f' % (before, after))
assert after < before / 3
