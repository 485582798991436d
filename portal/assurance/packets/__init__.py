"""Evidence packets: a population, a sample that anybody can draw again, and the seals that prove both, in one zip file.

docs/packet-format.md says what each file holds; docs/verify_packet.py checks it without the portal.
"""
