"""What a touchpoint tells when it is read with tables: how the visit came, what kind of touchpoint it is, which device.

Pure functions over a touchpoint's decoded parts. The tables are data (`tables/*.yaml`), which a site can extend.
"""
