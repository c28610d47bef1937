"""Verilog, Verilator and cocotb; nothing else in the project imports them."""
