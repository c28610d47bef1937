"""What the numbers must be: MobileNetV2 in float and in integers, in numpy alone."""
