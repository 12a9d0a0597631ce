# SPDX-License-Identifier: Apache-2.0
"""Chaos: a load and faults on a suite of its own, judged only from the outside.

Clients write down what they asked for and what they were told, the venue writes down what it was
sent and what it did, the nemesis writes down what it broke. `judge` reads nothing else, and
imports nothing of the services.
"""
