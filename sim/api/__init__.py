"""MobileNetV2 in integers and in RTL."""
