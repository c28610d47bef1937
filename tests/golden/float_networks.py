"""Float networks whose parameters a test draws, layer by layer."""

from mnv2.golden.float_model import FloatLayer, FloatModel


def float_network(network, draw):
    """The FloatModel of a network.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    draw : function of mnv2.golden.network.Layer
        Gives the weights of a convolution, in `Layer.weight_shape`, and its bias or None, and
        perhaps its BatchNormalization; float32. It is called in the order of execution.
    """
    convolutions = [layer for layer in network.layers if layer.kind != "pool"]
    return FloatModel(
        network, {layer.name: FloatLayer(layer, *draw(layer)) for layer in convolutions}
    )
