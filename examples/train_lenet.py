"""LeNet-5 trained on MNIST: the network that `applications.LeNet5(weights="mnist")` loads.

    python examples/train_lenet.py --output run                 # trains, and measures on 5,000 images set aside
    python examples/train_lenet.py --output run --test          # then: measures on the test images, writes the card
    python examples/train_lenet.py --data digits --epochs 20    # a small one in seconds, without a download

A run that was interrupted goes on at the epoch it had reached when the same command is given again, and ends with the
same weights, to the bit, as one that was not. Choices are to be made on the images set aside: the test images are
looked at with --test only.
"""

import minikeras as keras
import model_card
import resumable

RECIPE = {"rotation": 15.0, "shift": 0.1, "scale": 0.15, "shear": 0.25, "noise": 0.0}
LIMITS = [
    "It knows the ten digits only, one to an image, and calls anything else one of them, often with a high score.",
    "Digits are expected as in MNIST: bright on black, 20 pixels high in a field of 28, with their centre of mass in "
    "the middle. A photo has to be cut out, inverted and centred first.",
    "The writers were Americans of about 1990: a 1 with a long upstroke or a crossed 7 is rare among their digits.",
    "Of four settings of distortions and weight decay the one that read most validation images was kept, so that their "
    "figure is a little too good; two of the others were broken off before their last epochs.",
]


class LeNetTraining(resumable.Training):
    script = "train_lenet.py"
    data = {
        "mnist": "MNIST: 70,000 handwritten digits of 28x28 pixels, by Y. LeCun, C. Cortes and C. Burges "
        "(CC BY-SA 3.0), from `datasets.mnist`",
        "digits": "UCI digits: 1,797 handwritten digits of 8x8 pixels, scaled up to 28x28, by E. Alpaydin and "
        "C. Kaynak (CC BY 4.0), from `datasets.digits`",
    }
    epochs, batch_size, learning_rate, warmup, weight_decay = 70, 128, 3e-3, 10, 0.05
    settings = {"recipe": RECIPE}
    classes = [str(digit) for digit in range(10)]

    @property
    def name(self):
        return f"lenet5_{self.options.data}"

    def load(self):
        if self.options.data == "digits":
            train, test = keras.datasets.digits.load_data(size=28)
            return train, test, model_card.digest(*test)
        train, test = keras.datasets.mnist.load_data()
        digest = model_card.digest(*test)
        train, test = ((keras.applications.lenet5.preprocess_input(x), y) for x, y in (train, test))
        return train, test, digest

    def make_network(self, weights=None):
        return keras.applications.LeNet5(weights=weights)

    def prepare(self, net, x, y):
        augmentation = keras.preprocessing.digits.augmentation(**RECIPE)
        return keras.Sequential([augmentation, net]), resumable.Batches(x, y, self.options, augmentation.layers)

    def compile(self, model, learning_rate):
        optimizer = keras.optimizers.AdamW(learning_rate, weight_decay=self.options.weight_decay)
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])

    def facts(self):
        weights = "mnist" if self.options.data == "mnist" else f"{self.name}.weights.h5"
        angle, shift, scale, shear = (RECIPE[key] for key in ("rotation", "shift", "scale", "shear"))
        return {
            "title": f"LeNet-5 on {self.data[self.options.data].split(':')[0]}",
            "about": "LeNet-5, with ReLU in place of tanh and maxima in place of means. Y. LeCun, L. Bottou, "
            "Y. Bengio, P. Haffner, Gradient-based learning applied to document recognition, Proceedings of the "
            "IEEE, 1998: 99.05 % of MNIST's test images, 99.2 % when trained on distorted ones.",
            "usage": f'keras.applications.LeNet5(weights="{weights}")',
            "recipe": f"Each image is distorted anew in each epoch: turned by up to {angle:g} degrees, shifted by up "
            f"to {100 * shift:g} % of its side, stretched by up to {100 * scale:g} % in height and in width, slanted "
            f"by up to {shear:g} pixels for each row. Cross-entropy; AdamW with weight decay "
            f"{self.options.weight_decay:g}.",
            "limits": LIMITS if self.options.data == "mnist" else LIMITS[:1],
        }


if __name__ == "__main__":
    resumable.run(LeNetTraining, __doc__)
