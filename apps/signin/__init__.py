"""Who is at the door: signing in, second factors, single sign-on, sessions and their end."""
