"""Tiny Azure cost exports: the same usage as actual and as amortised cost."""

VM = "/subscriptions/9EC5/resourceGroups/Shop/providers/Microsoft.Compute/virtualMachines/Web-1"
ORDER = "/providers/Microsoft.Capacity/reservationOrders/a965/reservations/f39d"
PLAN = "/providers/Microsoft.BillingBenefits/savingsPlanOrders/802a/savingsPlans/09ff"


def ea(cost: str = "2.64", **cells: str) -> dict[str, str]:
    """A row as an Enterprise Agreement's export writes it."""
    return {
        "BillingAccountId": "8611537",
        "BillingPeriodStartDate": "10/01/2026",
        "BillingPeriodEndDate": "10/31/2026",
        "SubscriptionId": "9ec5",
        "SubscriptionName": "Trey Research",
        "Date": "10/04/2026",
        "Product": "Virtual Machines Dv3 Series - D2 v3",
        "MeterCategory": "Virtual Machines",
        "ServiceFamily": "Compute",
        "Quantity": "24",
        "EffectivePrice": "0.11",
        "Cost": cost,
        "UnitPrice": "0.11",
        "PayGPrice": "0.15",
        "UnitOfMeasure": "1 Hour",
        "BillingCurrency": "USD",
        "ResourceLocation": "US East",
        "ConsumedService": "Microsoft.Compute",
        "ResourceId": VM,
        "Tags": '"env": "prod","team": "shop"',
        "ChargeType": "Usage",
        "Frequency": "UsageBased",
        "PricingModel": "OnDemand",
        "PublisherName": "",
        "ReservationId": "",
        "benefitId": "",
    } | cells


NO_PRICE = {"UnitPrice": "0", "PayGPrice": "0", "EffectivePrice": "0", "Quantity": "1", "ResourceId": "", "Tags": ""}
EVERYWHERE = (
    ea(),
    ea("10.00", **NO_PRICE, ChargeType="Purchase", MeterCategory="", ConsumedService="", PublisherName="Canonical"),
    ea("1.10", **NO_PRICE, ChargeType="Tax"),
    ea("-0.01", **NO_PRICE, ChargeType="RoundingAdjustment"),
)
COVERED = {"PricingModel": "Reservation", "benefitId": ORDER, "UnitPrice": "0.10", "PayGPrice": "0"}
ACTUAL = (
    *EVERYWHERE,
    ea("0", **COVERED, EffectivePrice="0"),
    ea(
        "100.00",
        **{**NO_PRICE, "ResourceId": ORDER},
        ChargeType="Purchase",
        PricingModel="Reservation",
        benefitId=ORDER,
    ),
    ea("-20.00", **NO_PRICE, ChargeType="Refund", PricingModel="SavingsPlan", benefitId=PLAN),
)
AMORTISED = (
    *EVERYWHERE,
    ea("1.20", **COVERED, EffectivePrice="0.05"),
    ea("0.80", **NO_PRICE, ChargeType="UnusedReservation", PricingModel="Reservation", benefitId=ORDER),
)
