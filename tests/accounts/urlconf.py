"""The administration alone, with the two pages it sends people to."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import path


def page(request: HttpRequest) -> HttpResponse:
    """Stands for the sign-in page and the home page."""
    return HttpResponse(request.path)


urlpatterns = [
    path("admin/", admin.site.urls),
    path("sign-in/", page, name="sign_in"),
    path("", page, name="home"),
]
