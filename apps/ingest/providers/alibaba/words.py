"""Alibaba Cloud's words: products, units and regions, and the SQL that translates them.

Sources: product codes as bills and the API `DescribeInstanceBill` name them; region names as the console shows them;
units as FOCUS 1.2 writes them ("Unit Format").
"""

from collections.abc import Mapping

from apps.ingest.bill.origins import quoted

PRODUCTS: dict[str, tuple[str, str]] = {
    "ecs": ("Elastic Compute Service", "Compute"),
    "eci": ("Elastic Container Instance", "Compute"),
    "fc": ("Function Compute", "Compute"),
    "swas": ("Simple Application Server", "Compute"),
    "savingplan": ("Savings Plan", "Compute"),
    "cs": ("Container Service", "Compute"),
    "csk": ("Container Service", "Compute"),
    "acr": ("Container Registry", "Developer Tools"),
    "yundisk": ("Elastic Block Storage", "Storage"),
    "disk": ("Elastic Block Storage", "Storage"),
    "snapshot": ("Snapshot", "Storage"),
    "oss": ("Object Storage Service", "Storage"),
    "ossbag": ("Object Storage Service", "Storage"),
    "nas": ("File Storage NAS", "Storage"),
    "rds": ("ApsaraDB RDS", "Databases"),
    "polardb": ("PolarDB", "Databases"),
    "kvstore": ("Tair (Redis)", "Databases"),
    "dds": ("ApsaraDB for MongoDB", "Databases"),
    "hbase": ("ApsaraDB for HBase", "Databases"),
    "lindorm": ("Lindorm", "Databases"),
    "ads": ("AnalyticDB", "Databases"),
    "dts": ("Data Transmission Service", "Databases"),
    "odps": ("MaxCompute", "Analytics"),
    "dide": ("DataWorks", "Analytics"),
    "emapreduce": ("E-MapReduce", "Analytics"),
    "sc": ("Realtime Compute for Apache Flink", "Analytics"),
    "elasticsearch": ("Elasticsearch", "Analytics"),
    "learn": ("Platform for AI", "AI and Machine Learning"),
    "pai": ("Platform for AI", "AI and Machine Learning"),
    "sfm": ("Model Studio", "AI and Machine Learning"),
    "sls": ("Log Service", "Management and Governance"),
    "arms": ("Application Real-Time Monitoring Service", "Management and Governance"),
    "cms": ("Cloud Monitor", "Management and Governance"),
    "alikafka": ("ApsaraMQ for Kafka", "Integration"),
    "ons": ("ApsaraMQ for RocketMQ", "Integration"),
    "mns": ("Simple Message Queue", "Integration"),
    "slb": ("Server Load Balancer", "Networking"),
    "alb": ("Application Load Balancer", "Networking"),
    "nlb": ("Network Load Balancer", "Networking"),
    "eip": ("Elastic IP Address", "Networking"),
    "cbwp": ("Internet Shared Bandwidth", "Networking"),
    "cbn": ("Cloud Enterprise Network", "Networking"),
    "cdt": ("Cloud Data Transfer", "Networking"),
    "nat_gw": ("NAT Gateway", "Networking"),
    "vpn": ("VPN Gateway", "Networking"),
    "cdn": ("Alibaba Cloud CDN", "Networking"),
    "dcdn": ("Dynamic Content Delivery Network", "Networking"),
    "dns": ("Alibaba Cloud DNS", "Networking"),
    "live": ("ApsaraVideo Live", "Media"),
    "vod": ("ApsaraVideo VOD", "Media"),
    "rtc": ("Real-Time Communication", "Media"),
    "waf": ("Web Application Firewall", "Security"),
    "sas": ("Security Center", "Security"),
    "ddos": ("Anti-DDoS", "Security"),
    "kms": ("Key Management Service", "Security"),
    "sms": ("Short Message Service", "Business Applications"),
    "domain": ("Domains", "Web"),
}
"""Product code → name of the service and its FOCUS category. Others keep the bill's own name, in category Other."""

_UNITS = {
    "小时": "Hours",
    "Hour": "Hours",
    "时": "Hours",
    "秒": "Seconds",
    "Second": "Seconds",
    "分钟": "Minutes",
    "天": "Days",
    "月": "Months",
    "年": "Years",
    "次": "Requests",
    "千次": "1000 Requests",
    "万次": "10000 Requests",
    "个": "Count",
    "台": "Count",
    "GB*小时": "GB-Hours",
    "GB/小时": "GB-Hours",
    "GB-Hour": "GB-Hours",
    "核*秒": "Core-Seconds",
    "核*小时": "Core-Hours",
    "GiB*秒": "GiB-Seconds",
    "GB*秒": "GB-Seconds",
    "Byte": "Bytes",
    "字节": "Bytes",
}

_REGIONS = {
    "华北1（青岛）": "cn-qingdao",
    "华北2（北京）": "cn-beijing",
    "华北3（张家口）": "cn-zhangjiakou",
    "华北5（呼和浩特）": "cn-huhehaote",
    "华北6（乌兰察布）": "cn-wulanchabu",
    "华东1（杭州）": "cn-hangzhou",
    "华东2（上海）": "cn-shanghai",
    "华南1（深圳）": "cn-shenzhen",
    "华南2（河源）": "cn-heyuan",
    "华南3（广州）": "cn-guangzhou",
    "西南1（成都）": "cn-chengdu",
    "中国香港": "cn-hongkong",
    "新加坡": "ap-southeast-1",
    "马来西亚（吉隆坡）": "ap-southeast-3",
    "印度尼西亚（雅加达）": "ap-southeast-5",
    "日本（东京）": "ap-northeast-1",
    "韩国（首尔）": "ap-northeast-2",
    "德国（法兰克福）": "eu-central-1",
    "英国（伦敦）": "eu-west-1",
    "美国（硅谷）": "us-west-1",
    "美国（弗吉尼亚）": "us-east-1",
    "阿联酋（迪拜）": "me-east-1",
}


def translated(key: str, words: Mapping[str, str], otherwise: str) -> str:
    """SQL that looks a key up in a table of words."""
    cases = " ".join(f"WHEN '{quoted(word)}' THEN '{quoted(meaning)}'" for word, meaning in words.items())
    return f"CASE {key} {cases} ELSE {otherwise} END"


def service_name(code: str, name: str) -> str:
    """The service of a product, in Python: the same as SERVICE_NAME."""
    return PRODUCTS[code.lower()][0] if code.lower() in PRODUCTS else name or code


SERVICE_NAME = translated(
    'lower("product_code")',
    {code: name for code, (name, _) in PRODUCTS.items()},
    'coalesce("product", "product_code", "commodity", \'Alibaba Cloud\')',
)
SERVICE_CATEGORY = translated(
    'lower("product_code")', {code: category for code, (_, category) in PRODUCTS.items()}, "'Other'"
)
_REGION = translated('"region"', _REGIONS, "NULL")
REGION_ID = f'coalesce("region_id", {_REGION})'
UNIT = translated('"unit"', _UNITS, '"unit"')

TAGS = (
    # `key:K value:V; key:…`; what is not written so is kept whole, under the column's own name
    'CASE WHEN "tags" IS NULL THEN NULL WHEN NOT regexp_matches("tags", \'^\\s*key:.* value:\') '
    "THEN json_object('实例标签', \"tags\")::VARCHAR ELSE list_reduce(list_transform(string_split("
    "regexp_replace(regexp_replace(rtrim(\"tags\", '; '), '^\\s*key:', ''), ';\\s*key:', chr(30), 'g'), chr(30)), "
    "lambda tag: json_object(split_part(tag, ' value:', 1), "
    "CASE WHEN contains(tag, ' value:') THEN substr(tag, strpos(tag, ' value:') + 7) ELSE '' END)), "
    "lambda one, other: json_merge_patch(one, other))::VARCHAR END"
)
