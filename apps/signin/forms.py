"""The form of the sign-in."""

from allauth.account.forms import LoginForm


class SignIn(LoginForm):  # type: ignore[misc]  # it publishes no types
    """The library's form, asking for `username` as forms of Django do."""

    def add_prefix(self, field_name: str) -> str:
        return "username" if field_name == "login" else field_name

    @property
    def is_locked_out(self) -> bool:
        """Whether it was refused because there were too many tries, whatever was typed."""
        return any(error.code == "too_many_login_attempts" for error in self.non_field_errors().as_data())
