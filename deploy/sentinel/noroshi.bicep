// The table of Noroshi's alerts, the rule that collects them, and the rule that makes incidents of them, in Microsoft Sentinel.
// Made of the columns that the sink writes; do not edit.
@description('The workspace of Log Analytics in which Microsoft Sentinel is on, in this resource group.')
param workspaceName string
param location string = resourceGroup().location
@description('The object id of the identity that sends alerts: the service principal or the managed identity, not the application.')
param senderObjectId string
@description('How long alerts are kept.')
@minValue(4)
@maxValue(730)
param retentionInDays int = 180

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = {
  name: workspaceName
}

resource alerts 'Microsoft.OperationalInsights/workspaces/tables@2023-09-01' = {
  parent: workspace
  name: 'NoroshiAlerts_CL'
  properties: {
    plan: 'Analytics'
    retentionInDays: retentionInDays
    schema: {
      name: 'NoroshiAlerts_CL'
      columns: [
        { name: 'TimeGenerated', type: 'dateTime', description: 'When the finding was complete. Azure replaces what is older than two days by the time of arrival' }
        { name: 'AlertTime', type: 'dateTime', description: 'When the finding was complete, however old' }
        { name: 'AlertId', type: 'string', description: 'The same in all revisions of an alert, however often it comes' }
        { name: 'AlertRevision', type: 'int', description: '1, and more for each change' }
        { name: 'AlertStatus', type: 'string', description: 'firing, updated or withdrawn' }
        { name: 'AlertState', type: 'string', description: 'shadow or building for a rule that is not live' }
        { name: 'AlertSeverity', type: 'string', description: 'info, low, medium, high or critical' }
        { name: 'AlertTitle', type: 'string', description: 'What the rule finds' }
        { name: 'AlertSummary', type: 'string', description: 'What has happened, in a sentence' }
        { name: 'AlertSchema', type: 'string', description: 'The form of the alert' }
        { name: 'Drill', type: 'boolean', description: 'true: of a drill or a heartbeat, nothing has happened' }
        { name: 'Late', type: 'boolean', description: 'The records came late' }
        { name: 'Partial', type: 'boolean', description: 'true: adds to the revisions before it, which it does not take the place of' }
        { name: 'RuleId', type: 'string', description: 'The rule' }
        { name: 'RuleClass', type: 'string', description: 'access, hiding, exfiltration, abuse, privilege, defence or verdict' }
        { name: 'RuleRevision', type: 'string', description: 'Changes with the text of the rule' }
        { name: 'RulePoints', type: 'int', description: 'How much the rule counts' }
        { name: 'RuleGuide', type: 'dynamic', description: 'Signs of the guide that the rule is for' }
        { name: 'Attack', type: 'dynamic', description: 'Techniques of MITRE ATT&CK' }
        { name: 'SourceTenantId', type: 'string', description: 'The tenant of the account' }
        { name: 'Account', type: 'string', description: 'Whom the alert is about' }
        { name: 'ActorName', type: 'string', description: 'Who acted' }
        { name: 'ActorKind', type: 'string', description: 'user, guest, app or service' }
        { name: 'ActorId', type: 'string', description: 'The id of who acted' }
        { name: 'Target', type: 'string', description: 'Whom or what it was done to' }
        { name: 'FirstSeen', type: 'dateTime', description: 'The first event' }
        { name: 'LastSeen', type: 'dateTime', description: 'The last event' }
        { name: 'EventCount', type: 'int', description: 'How many events' }
        { name: 'DistinctCount', type: 'int', description: 'How many different values, of rules that count them' }
        { name: 'EventSum', type: 'real', description: 'The sum, of rules that add up' }
        { name: 'SourceIp', type: 'string', description: 'The address that it came from' }
        { name: 'SourceCountry', type: 'string', description: 'Its country' }
        { name: 'SourceAsn', type: 'long', description: 'Its autonomous system' }
        { name: 'GroupValues', type: 'dynamic', description: 'By what the rule counts' }
        { name: 'DedupKey', type: 'string', description: 'The same for all alerts of the rule about the same group' }
        { name: 'Evidence', type: 'dynamic', description: 'The events, or some of them' }
        { name: 'Sessions', type: 'dynamic', description: 'Sessions of the events' }
        { name: 'Indicators', type: 'dynamic', description: 'What else to look for' }
        { name: 'Modifiers', type: 'dynamic', description: 'What changed the severity' }
        { name: 'LinkedAlerts', type: 'dynamic', description: 'Alerts that this one is about' }
        { name: 'Enrichment', type: 'dynamic', description: 'What lists say of account and address' }
        { name: 'Respond', type: 'dynamic', description: 'What to do, with commands' }
        { name: 'Times', type: 'dynamic', description: 'When it happened, arrived and was evaluated' }
        { name: 'AlertClock', type: 'string', description: 'wall where the clock on the wall decided' }
        { name: 'TraceParent', type: 'string', description: 'The trace that the alert belongs to' }
        { name: 'AlertCut', type: 'dynamic', description: 'What is told in part, because it was too long' }
      ]
    }
  }
}

resource collection 'Microsoft.Insights/dataCollectionRules@2023-03-11' = {
  name: 'noroshi-alerts'
  location: location
  kind: 'Direct'
  properties: {
    streamDeclarations: {
      'Custom-NoroshiAlerts_CL': {
        columns: [
          { name: 'TimeGenerated', type: 'datetime' }
          { name: 'AlertTime', type: 'datetime' }
          { name: 'AlertId', type: 'string' }
          { name: 'AlertRevision', type: 'int' }
          { name: 'AlertStatus', type: 'string' }
          { name: 'AlertState', type: 'string' }
          { name: 'AlertSeverity', type: 'string' }
          { name: 'AlertTitle', type: 'string' }
          { name: 'AlertSummary', type: 'string' }
          { name: 'AlertSchema', type: 'string' }
          { name: 'Drill', type: 'boolean' }
          { name: 'Late', type: 'boolean' }
          { name: 'Partial', type: 'boolean' }
          { name: 'RuleId', type: 'string' }
          { name: 'RuleClass', type: 'string' }
          { name: 'RuleRevision', type: 'string' }
          { name: 'RulePoints', type: 'int' }
          { name: 'RuleGuide', type: 'dynamic' }
          { name: 'Attack', type: 'dynamic' }
          { name: 'SourceTenantId', type: 'string' }
          { name: 'Account', type: 'string' }
          { name: 'ActorName', type: 'string' }
          { name: 'ActorKind', type: 'string' }
          { name: 'ActorId', type: 'string' }
          { name: 'Target', type: 'string' }
          { name: 'FirstSeen', type: 'datetime' }
          { name: 'LastSeen', type: 'datetime' }
          { name: 'EventCount', type: 'int' }
          { name: 'DistinctCount', type: 'int' }
          { name: 'EventSum', type: 'real' }
          { name: 'SourceIp', type: 'string' }
          { name: 'SourceCountry', type: 'string' }
          { name: 'SourceAsn', type: 'long' }
          { name: 'GroupValues', type: 'dynamic' }
          { name: 'DedupKey', type: 'string' }
          { name: 'Evidence', type: 'dynamic' }
          { name: 'Sessions', type: 'dynamic' }
          { name: 'Indicators', type: 'dynamic' }
          { name: 'Modifiers', type: 'dynamic' }
          { name: 'LinkedAlerts', type: 'dynamic' }
          { name: 'Enrichment', type: 'dynamic' }
          { name: 'Respond', type: 'dynamic' }
          { name: 'Times', type: 'dynamic' }
          { name: 'AlertClock', type: 'string' }
          { name: 'TraceParent', type: 'string' }
          { name: 'AlertCut', type: 'dynamic' }
        ]
      }
    }
    destinations: {
      logAnalytics: [
        { name: 'workspace', workspaceResourceId: workspace.id }
      ]
    }
    dataFlows: [
      { streams: [ 'Custom-NoroshiAlerts_CL' ], destinations: [ 'workspace' ], transformKql: 'source', outputStream: 'Custom-NoroshiAlerts_CL' }
    ]
  }
  dependsOn: [ alerts ]
}

// Monitoring Metrics Publisher
resource sender 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(collection.id, senderObjectId)
  scope: collection
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '3913510d-42f4-4e42-8a64-420c390055eb')
    principalId: senderObjectId
    principalType: 'ServicePrincipal'
  }
}

resource incidents 'Microsoft.SecurityInsights/alertRules@2024-03-01' = {
  name: guid(workspace.id, 'noroshi-alerts')
  scope: workspace
  kind: 'NRT'
  properties: {
    displayName: 'Alerts of Noroshi'
    description: 'Each alert of Noroshi becomes an alert of Sentinel, and those about one account an incident.'
    enabled: true
    severity: 'Medium'
    query: '''
NoroshiAlerts_CL
| where AlertStatus == 'firing' and not(coalesce(Drill, false)) and isempty(AlertState)
| summarize arg_max(TimeGenerated, *) by AlertId
| extend AccountName = tostring(split(Account, '@')[0]), AccountSuffix = tostring(split(Account, '@')[1])
| extend SentinelSeverity = case(AlertSeverity in ('critical', 'high'), 'High', AlertSeverity == 'medium', 'Medium', AlertSeverity == 'low', 'Low', 'Informational')
'''
    suppressionEnabled: false
    suppressionDuration: 'PT5H'
    eventGroupingSettings: { aggregationKind: 'AlertPerResult' }
    alertDetailsOverride: {
      alertDisplayNameFormat: '{{AlertTitle}}: {{Account}}'
      alertDescriptionFormat: '{{AlertSummary}}'
      alertSeverityColumnName: 'SentinelSeverity'
    }
    customDetails: { AlertId: 'AlertId', RuleId: 'RuleId', RuleClass: 'RuleClass', Events: 'EventCount' }
    entityMappings: [
      {
        entityType: 'Account'
        fieldMappings: [
          { identifier: 'Name', columnName: 'AccountName' }
          { identifier: 'UPNSuffix', columnName: 'AccountSuffix' }
        ]
      }
      {
        entityType: 'IP'
        fieldMappings: [
          { identifier: 'Address', columnName: 'SourceIp' }
        ]
      }
      {
        entityType: 'Mailbox'
        fieldMappings: [
          { identifier: 'MailboxPrimaryAddress', columnName: 'Account' }
        ]
      }
    ]
    incidentConfiguration: {
      createIncident: true
      groupingConfiguration: {
        enabled: true
        reopenClosedIncident: false
        lookbackDuration: 'P1D'
        matchingMethod: 'Selected'
        groupByEntities: [ 'Account' ]
        groupByAlertDetails: []
        groupByCustomDetails: []
      }
    }
  }
  dependsOn: [ alerts ]
}

@description('The key url of the sink.')
output url string = collection.properties.endpoints.logsIngestion
@description('The key rule_id of the sink.')
output ruleId string = collection.properties.immutableId
