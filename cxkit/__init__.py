"""Customer-centricity audits of e-commerce companies, in notebooks."""

__version__ = "0.1.0"
