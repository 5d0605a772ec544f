"""The forms of the sign-in."""

from allauth.account.adapter import get_adapter
from allauth.account.forms import LoginForm
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, BaseAuthenticateForm, ReauthenticateForm


class SignIn(LoginForm):  # type: ignore[misc]  # it publishes no types
    """The library's form, asking for `username` as forms of Django do."""

    def add_prefix(self, field_name: str) -> str:
        return "username" if field_name == "login" else field_name

    @property
    def is_locked_out(self) -> bool:
        """Whether it was refused because there were too many tries, whatever was typed."""
        return any(error.code == "too_many_login_attempts" for error in self.non_field_errors().as_data())


class _Counted(BaseAuthenticateForm):  # type: ignore[misc]  # it publishes no types
    """A wrong code is a try of its address, as a wrong password is."""

    def clean_code(self) -> str:
        counted = get_adapter().count_try(context.request)
        code: str = super().clean_code()
        counted.rollback()
        return code


class Code(_Counted, AuthenticateForm):  # type: ignore[misc]  # it publishes no types
    """The code that is asked for after the password."""


class CodeAgain(_Counted, ReauthenticateForm):  # type: ignore[misc]  # it publishes no types
    """The code that is asked for before a factor changes."""
