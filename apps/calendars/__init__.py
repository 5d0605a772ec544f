"""The days of the business: working days, holidays, school terms, promotions."""
