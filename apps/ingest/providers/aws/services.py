"""AWS product codes → FOCUS service categories."""

# The likeliest first: an expression asks from the top. Codes are those of `lineItem/ProductCode`.
CATEGORIES: dict[str, tuple[str, ...]] = {
    "Compute": (
        "AmazonEC2", "AWSLambda", "AmazonEKS", "AmazonECS", "AmazonECR", "AmazonECRPublic", "AmazonLightsail",
        "AWSOutposts", "AWSAppRunner", "AmazonAppStream", "ComputeSavingsPlans", "VMwareCloudOnAWS", "AWSBatch",
    ),
    "Storage": (
        "AmazonS3", "AmazonEBS", "AmazonEFS", "AmazonFSx", "AmazonGlacier", "AmazonS3GlacierDeepArchive", "AWSBackup",
        "AWSStorageGateway", "AWSStorageGatewayDeepArchive", "AWSElasticDisasterRecovery", "IngestionServiceSnowball",
        "SnowballExtraDays",
    ),
    "Databases": (
        "AmazonRDS", "AmazonDynamoDB", "AmazonElastiCache", "AmazonRedshift", "AmazonDocDB", "AmazonNeptune",
        "AmazonMemoryDB", "AmazonTimestream", "AmazonMCS", "AmazonDAX",
    ),
    "Networking": (
        "AmazonVPC", "AWSELB", "AWSDataTransfer", "AmazonCloudFront", "AmazonRoute53", "AmazonApiGateway",
        "AWSDirectConnect", "AWSGlobalAccelerator", "AWSNetworkFirewall", "AWSCloudMap", "AWSCloudWAN",
        "AWSTransitGateway", "AWSPrivate5G",
    ),
    "Management and Governance": (
        "AmazonCloudWatch", "AWSCloudTrail", "AWSConfig", "AWSSystemsManager", "AmazonPrometheus", "AmazonGrafana",
        "AWSCostExplorer", "AWSBudgets", "AWSCloudFormation", "AWSServiceCatalog", "AWSBillingConductor", "OpsWorks",
        "AWSResilienceHub", "AWSXRay",
    ),
    "Security": (
        "awskms", "AWSSecretsManager", "AmazonGuardDuty", "awswaf", "AWSSecurityHub", "AmazonInspector",
        "AmazonInspectorV2", "AmazonMacie", "AWSShield", "AWSCertificateManager", "CloudHSM", "AmazonDetective",
        "AmazonSecurityLake", "AWSFMS", "auditmanager",
    ),
    "Identity": ("AmazonCognito", "AmazonCognitoSync", "AWSDirectoryService", "AmazonVerifiedPermissions"),
    "Integration": (
        "AWSQueueService", "AmazonSNS", "AmazonMQ", "AmazonStates", "AWSEvents", "AmazonMWAA", "AppFlow", "AmazonSWF",
    ),
    "Analytics": (
        "AWSGlue", "AmazonAthena", "AmazonKinesis", "AmazonKinesisFirehose", "AmazonKinesisAnalytics", "AmazonMSK",
        "ElasticMapReduce", "AmazonES", "AmazonQuickSight", "AWSLakeFormation", "AWSDataExchange", "AmazonCloudSearch",
        "datapipeline",
    ),
    "AI and Machine Learning": (
        "AmazonSageMaker", "AmazonBedrock", "AmazonBedrockService", "AmazonRekognition", "AmazonTextract", "comprehend",
        "transcribe", "translate", "AmazonPolly", "AmazonLex", "AmazonKendra", "AmazonPersonalize", "AmazonForecast",
        "AmazonFraudDetector",
    ),
    "Developer Tools": (
        "CodeBuild", "AWSCodePipeline", "AWSCodeCommit", "AWSCodeDeploy", "AWSCodeArtifact", "AWSDeviceFarm",
        "CodeGuru",
    ),
    "Web": ("AWSAmplify", "AWSAppSync"),
    "Business Applications": (
        "AmazonSES", "AmazonConnect", "AmazonPinpoint", "AmazonWorkMail", "AmazonWorkDocs", "AmazonChime",
    ),
    "Media": (
        "AWSElementalMediaConvert", "AWSElementalMediaLive", "AWSElementalMediaPackage", "AWSElementalMediaStore",
        "AWSElementalMediaTailor", "AWSMediaConnect", "AmazonETS", "AmazonIVS", "AmazonKinesisVideo",
    ),
    "Migration": ("AWSDatabaseMigrationSvc", "AWSDataSync", "AWSTransfer", "AWSApplicationMigrationSvc"),
    "Internet of Things": ("AWSIoT", "AWSGreengrass", "AWSIoTAnalytics", "AWSIoTSiteWise", "IoTDeviceManagement"),
}  # fmt: skip


def category(code: str) -> str:
    """The category of the product code that an expression gives; `Other` for those nobody listed."""
    listed = {name: ", ".join(f"'{one}'" for one in codes) for name, codes in CATEGORIES.items()}
    cases = " ".join(f"WHEN {code} IN ({codes}) THEN '{name}'" for name, codes in listed.items())
    return f"CASE {cases} ELSE 'Other' END"
