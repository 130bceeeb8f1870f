"""The HTTP service: a JSON API under /v1, problem details for every error, and the web pages."""

from hookline.service.api import make_service

__all__ = ["make_service"]
