"""The continuous double auction of Gode and Sunder: a simulation with a known answer.

Journal of Political Economy 101(1), 1993, 119-137: "Allocative Efficiency of Markets with
Zero-Intelligence Traders: Market as a Partial Substitute for Individual Rationality".
"""
