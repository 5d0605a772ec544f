"""Lines of AWS bills for tests: CUR 2.0 and legacy."""

PAYER = "111122223333"
SP = "arn:aws:savingsplans::111122223333:savingsplan/aaaa"
RI = "arn:aws:ec2:eu-west-1:111122223333:reserved-instances/bbbb"


def line(line_type="Usage", cost="1.00", **cells):
    """An hour of a virtual machine at noon, in the spelling of CUR 2.0."""
    return {
        "bill_payer_account_id": "111122223333",
        "bill_bill_type": "Anniversary",
        "bill_invoice_id": "1001",
        "bill_billing_period_start_date": "2026-10-01T00:00:00.000Z",
        "bill_billing_period_end_date": "2026-11-01T00:00:00.000Z",
        "line_item_usage_account_id": "444455556666",
        "line_item_line_item_type": line_type,
        "line_item_usage_start_date": "2026-10-05T12:00:00.000Z",
        "line_item_usage_end_date": "2026-10-05T13:00:00.000Z",
        "line_item_product_code": "AmazonEC2",
        "line_item_usage_type": "EU-BoxUsage:m5.large",
        "line_item_usage_amount": "1.0000000000",
        "line_item_currency_code": "USD",
        "line_item_unblended_cost": cost,
        "line_item_net_unblended_cost": "",
        "line_item_resource_id": "i-0ab",
        "pricing_public_on_demand_cost": "",
        "pricing_unit": "Hrs",
        "product_instance_type": "m5.large",
        "product": '{"product_name":"Amazon Elastic Compute Cloud"}',
        "reservation_reservation_a_r_n": "",
        "reservation_effective_cost": "",
        "reservation_unused_amortized_upfront_fee_for_billing_period": "",
        "reservation_unused_recurring_fee": "",
        "savings_plan_savings_plan_a_r_n": "",
        "savings_plan_savings_plan_effective_cost": "",
        "savings_plan_total_commitment_to_date": "",
        "savings_plan_used_commitment": "",
        "split_line_item_parent_resource_id": "",
        "split_line_item_split_cost": "",
        "resource_tags": '{"user_team":"live-class","aws_created_by":"hanmeimei"}',
    } | cells


def net(amount):
    return {"line_item_net_unblended_cost": amount}


def public(amount):
    return {"pricing_public_on_demand_cost": amount}


def plan(**cells):
    return {"savings_plan_savings_plan_a_r_n": SP} | {f"savings_plan_{name}": cell for name, cell in cells.items()}


def reservation(**cells):
    return {"reservation_reservation_a_r_n": RI} | {f"reservation_{name}": cell for name, cell in cells.items()}


LEGACY = {
    "bill/PayerAccountId": "111122223333",
    "bill/BillingPeriodStartDate": "2026-10-01T00:00:00Z",
    "bill/BillingPeriodEndDate": "2026-11-01T00:00:00Z",
    "lineItem/UsageAccountId": "444455556666",
    "lineItem/LineItemType": "Usage",
    "lineItem/UsageStartDate": "2026-10-05T12:00:00Z",
    "lineItem/UsageEndDate": "2026-10-05T13:00:00Z",
    "lineItem/ProductCode": "AmazonS3",
    "lineItem/CurrencyCode": "USD",
    "lineItem/UnblendedCost": "0.0000004000",
    "lineItem/BlendedCost": "99",
    "product/ProductName": "Amazon Simple Storage Service",
    "resourceTags/user:name": "a",
    "resourceTags/user:Name": "b",
    "resourceTags/aws:createdBy": "c",
    "costCategory/Team": "live-class",
}
