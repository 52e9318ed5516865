package sentinel

import (
	"fmt"
	"strings"
)

// Table is the table that alerts lie in, and stream what carries them there.
const (
	Table  = "NoroshiAlerts_CL"
	stream = "Custom-" + Table
)

// Template is what makes the table, the rule of collection and the rule of analytics in Azure, as Bicep.
func Template() string {
	var table, declared strings.Builder
	for i := range columns {
		c := &columns[i]
		fmt.Fprintf(&table, "        { name: '%s', type: '%s', description: '%s' }\n", c.name, strings.ReplaceAll(c.kind, "datetime", "dateTime"), c.about)
		fmt.Fprintf(&declared, "          { name: '%s', type: '%s' }\n", c.name, c.kind)
	}
	return fmt.Sprintf(bicep, Table, table.String(), stream, declared.String(), stream, stream, query)
}

// query is what the rule of analytics looks for: the first revision of each alert, once, but none of a drill or of a rule that is not
// live. It runs each minute on what has come.
const query = Table + `
| where AlertStatus == 'firing' and not(coalesce(Drill, false)) and isempty(AlertState)
| summarize arg_max(TimeGenerated, *) by AlertId
| extend AccountName = tostring(split(Account, '@')[0]), AccountSuffix = tostring(split(Account, '@')[1])
| extend SentinelSeverity = case(AlertSeverity in ('critical', 'high'), 'High', AlertSeverity == 'medium', 'Medium', AlertSeverity == 'low', 'Low', 'Informational')`

const bicep = `// The table of Noroshi's alerts, the rule that collects them, and the rule that makes incidents of them, in Microsoft Sentinel.
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
  name: '%[1]s'
  properties: {
    plan: 'Analytics'
    retentionInDays: retentionInDays
    schema: {
      name: '%[1]s'
      columns: [
%[2]s      ]
    }
  }
}

resource collection 'Microsoft.Insights/dataCollectionRules@2023-03-11' = {
  name: 'noroshi-alerts'
  location: location
  kind: 'Direct'
  properties: {
    streamDeclarations: {
      '%[3]s': {
        columns: [
%[4]s        ]
      }
    }
    destinations: {
      logAnalytics: [
        { name: 'workspace', workspaceResourceId: workspace.id }
      ]
    }
    dataFlows: [
      { streams: [ '%[5]s' ], destinations: [ 'workspace' ], transformKql: 'source', outputStream: '%[6]s' }
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
%[7]s
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
`
