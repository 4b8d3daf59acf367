"""The dashboard in a browser: a login, a page, and a terminal for each page that is open."""

from ctui.web.browser.routes import Dashboards, browser_routes

__all__ = ["Dashboards", "browser_routes"]
