#!/bin/bash
set -euo pipefail

HOST="https://{user}.dev.example.com"
TOKEN="${CLAUDE_API_TOKEN}"

# Create a task
TASK_ID=$(curl -s -X POST "$HOST/api/claude/tasks" \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{"prompt": "List all TODO comments in the codebase"}' \
  | jq -r '.task_id')

echo "Task created: $TASK_ID"

# Poll until done
while true; do
  STATUS=$(curl -s "$HOST/api/claude/tasks/$TASK_ID" \
    -H "Authorization: Bearer $TOKEN" \
    | jq -r '.status')
  echo "Status: $STATUS"
  [ "$STATUS" != "running" ] && break
  sleep 5
done

# Get output
curl -s "$HOST/api/claude/tasks/$TASK_ID/output" \
  -H "Authorization: Bearer $TOKEN"
