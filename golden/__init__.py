"""The golden model: MobileNetV2 in float and in integers, in numpy alone."""
