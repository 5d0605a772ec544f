"""How django-allauth, which signs people in, is set: the same in every installation."""

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
ACCOUNT_ADAPTER = "apps.signin.adapters.Accounts"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_FORMS = {"login": "apps.signin.forms.SignIn"}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_RATE_LIMITS = {"login_failed": "5/5m/key", "try": "10/m/ip", "passkey": "30/m/ip", "provider": "120/m/ip"}
ACCOUNT_REAUTHENTICATION_METHODS = {"password", "mfa"}  # no codes by mail
ACCOUNT_SESSION_REMEMBER = True  # as long as COSTOPS_SESSION_HOURS says
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*"]
MFA_ADAPTER = "apps.signin.factors.SecondFactors"
MFA_ALLOW_UNVERIFIED_EMAIL = True  # nobody signs up here: accounts are made by administrators or by a provider
MFA_FORMS = {"authenticate": "apps.signin.forms.Code", "reauthenticate": "apps.signin.forms.CodeAgain"}
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_TOLERANCE = 1
SOCIALACCOUNT_ADAPTER = "apps.signin.adapters.Provided"
SOCIALACCOUNT_LOGIN_ON_GET = True
