"""Unit prices: from a price list somebody imported, or learned from charges."""

from decimal import Decimal

from django.db import models


class Price(models.Model):
    """What one unit of a SKU costs from a day on, until the next price of the same SKU.

    Unit prices have up to twelve decimals and are looked up, never added up: they are kept as plain digits, because
    SQLite has no decimals and `MoneyField` only six of them. An empty price is unknown.
    """

    class Origin(models.TextChoices):
        LIST = "list", "Price list"
        LEARNED = "learned", "Learned from charges"

    provider = models.CharField(max_length=120)
    region = models.CharField(max_length=120, blank=True)
    sku_id = models.CharField(max_length=300)
    service = models.CharField(max_length=200, blank=True)
    unit = models.CharField(max_length=120)
    currency = models.CharField(max_length=3)
    list_unit_price_text = models.CharField(max_length=40, blank=True)
    contracted_unit_price_text = models.CharField(max_length=40, blank=True)
    valid_from = models.DateField()
    origin = models.CharField(max_length=10, choices=Origin)
    charges = models.BigIntegerField(default=0)
    quantity_text = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "region", "sku_id", "unit", "currency", "valid_from", "origin"],
                name="prices_price_once",
            ),
            models.CheckConstraint(
                condition=~models.Q(list_unit_price_text="", contracted_unit_price_text=""), name="prices_price_is_told"
            ),
        ]
        indexes = [models.Index(fields=["provider", "sku_id", "valid_from"], name="prices_price_sku")]

    def __str__(self) -> str:
        return f"{self.provider} {self.region} {self.sku_id} from {self.valid_from}"

    @property
    def list_unit_price(self) -> Decimal | None:
        return Decimal(self.list_unit_price_text) if self.list_unit_price_text else None

    @property
    def contracted_unit_price(self) -> Decimal | None:
        return Decimal(self.contracted_unit_price_text) if self.contracted_unit_price_text else None

    @property
    def quantity(self) -> Decimal | None:
        return Decimal(self.quantity_text) if self.quantity_text else None
