"""What the window may ask of the engine: each operation once, with its function, lane and title.

The window starts an operation as `console.run(operations.ask, done, question=...)`; the engine's process
finds the function, fills in the parameters `workspace`, `store`, `database`, `settings` and `folder` where it
has them and the window did not give them, and runs it on the operation's lane. A test binds the keywords of
every call to the function's signature. This module is light: it names functions and imports nothing but rows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rag.asking.cache.rows import CacheCheckReport, CacheState
from rag.asking.replay.rows import Attribution, ReplayReport
from rag.asking.rows import AskResult, CalibrationFit, ConsistencyReport, SearchTest
from rag.costs.budgets.rows import BudgetRow, BudgetUse, Expected
from rag.costs.rows import CostSum
from rag.evaluation.cascades.rows import CascadeCurve, Savings
from rag.evaluation.forms.rows import MetricChoice, RuleText, TracesAdded
from rag.evaluation.gates.rows import GateOutcome
from rag.evaluation.rows import (
    CaseChange,
    CasesImported,
    Detectable,
    GenerationReport,
    ImportPreview,
    JudgementCheck,
    RunComparison,
    RunRow,
    SearchComparison,
    SetVersionRow,
    VersionComparison,
)
from rag.governance.audit.rows import AuditCheck
from rag.governance.report.rows import Report, ReportCheck, ReportComparison, ReportFiles
from rag.governance.retention.rows import RetentionReport
from rag.governance.rows import CompactReport, ErasureReport
from rag.governance.subjects.rows import SubjectReport
from rag.guardrails.policies.rows import MeasureReport, PolicyDiff, PolicyImport, PolicyVersionRow, Tried
from rag.index.rows import ChromaCollection, ChromaPage
from rag.interchange.rows import ExportReport, ReceiverState
from rag.knowledge.preview.rows import ChunkPreview
from rag.knowledge.rows import (
    ActivationReport,
    ChromaImport,
    ChunkChange,
    EmbeddingMap,
    IngestReport,
    NearDuplicate,
    Suspect,
    VerificationReport,
    VersionDiff,
    VersionMade,
)
from rag.lanes import Lane as Lane
from rag.lanes import Operation as Operation
from rag.launcher.rows import LauncherReport
from rag.models.endpoints.rows import Endpoint
from rag.models.getting.rows import Downloaded
from rag.models.rows import ModelEntry, ModelState, ModelTest
from rag.monitoring.rows import AlertRow, AnswerDisagreement, DriftResult, MeasureSummary, RegressionState
from rag.parsing.rows import RenderedPage
from rag.prompts.rows import LabelMove, PromptImport, PromptPreview, PromptVersionRow
from rag.review.rows import BlindResult, FeedbackRow, Revealed, ReviewerAgreement, RolloutResults, RolloutRow
from rag.serving.rows import ServerState, Token
from rag.settings import RetrievalSettings
from rag.storage.rows import BackupInfo, BackupReport, MoveReport, SpaceUse

# --- The data folder and its settings --------------------------------------------------------------------

read_settings = Operation[dict[str, Any]]("rag.workspace:read_settings", Lane.READ, "Read the settings")
change_settings = Operation[dict[str, Any]]("rag.workspace:change_settings", Lane.WRITE, "Save settings")
check_starters = Operation[list[str]]("rag.start_up:check_starters", Lane.READ, "Check the starter models")
start_up = Operation[list[str]]("rag.start_up:start_up", Lane.INGEST, "Check indexes")
folder_usage = Operation[list[SpaceUse]](
    "rag.storage.disk_usage:folder_usage", Lane.READ, "Measure the data folder"
)
look_at_backup = Operation[BackupInfo]("rag.storage.backup:look_at_backup", Lane.READ, "Read the backup")
prepare_restore = Operation[BackupInfo]("rag.storage.backup:prepare_restore", Lane.DATA, "Restoring")
move_data = Operation[MoveReport]("rag.storage.relocation:move_data", Lane.DATA, "Moving the data")
back_up = Operation[BackupReport]("rag.storage.backup:back_up", Lane.DATA, "Backing up")
make_launcher = Operation[LauncherReport](
    "rag.launcher.making:make_launcher", Lane.WRITE, "Make the launcher"
)
remove_launcher = Operation[LauncherReport](
    "rag.launcher.making:remove_launcher", Lane.WRITE, "Remove the launcher"
)
erase_document = Operation[ErasureReport](
    "rag.governance.erasure:erase_document", Lane.INGEST, "Erase {document}"
)
compact = Operation[CompactReport](
    "rag.governance.compaction:compact", Lane.INGEST, "Compact the data folder"
)

make_report = Operation[ReportFiles](
    "rag.governance.report.making:make_report", Lane.DATA, "Make an evidence report"
)
read_report = Operation[Report]("rag.governance.report.making:read_report", Lane.READ, "Read a report")
check_report = Operation[ReportCheck](
    "rag.governance.report.making:check_report", Lane.READ, "Check the sources of a report"
)
compare_reports = Operation[ReportComparison](
    "rag.governance.report.compare:compare_reports", Lane.READ, "Compare two reports"
)

# --- Audit log, retention, people ------------------------------------------------------------------------

check_audit = Operation[AuditCheck](
    "rag.governance.audit.checking:check_audit", Lane.READ, "Verify the audit log"
)
export_audit = Operation[int](
    "rag.governance.audit.exporting:export_audit", Lane.WRITE, "Export the audit log"
)
note_table_export = Operation[None](
    "rag.governance.audit.exporting:note_table_export", Lane.WRITE, "Log an export"
)
write_head = Operation[str]("rag.governance.audit.heads:write_head", Lane.WRITE, "Write the head of the log")
preview_retention = Operation[RetentionReport](
    "rag.governance.retention.running:preview_retention", Lane.READ, "See what would be removed"
)
run_retention = Operation[RetentionReport](
    "rag.governance.retention.running:run_retention", Lane.INGEST, "Remove what is too old"
)
keep_up = Operation[list[str]]("rag.governance.upkeep:keep_up", Lane.INGEST, "Do what is due once a day")
search_subject = Operation[SubjectReport](
    "rag.governance.subjects.searching:search_subject", Lane.DATA, "Search for a person"
)
export_subject = Operation[SubjectReport](
    "rag.governance.subjects.searching:export_subject", Lane.DATA, "Export what mentions a person"
)

# --- Searching -------------------------------------------------------------------------------------------

run_search_test = Operation[SearchTest](
    "rag.asking.search_test:run_search_test", Lane.READ, "Search “{collection}”"
)
follow_settings = Operation[RetrievalSettings](
    "rag.knowledge.search_settings:follow_settings", Lane.WRITE, "Change the search of “{collection}”"
)
upgrade_search = Operation[SearchComparison](
    "rag.evaluation.version_comparison:upgrade_search", Lane.INGEST, "Upgrade the search of “{collection}”"
)

# --- Models ----------------------------------------------------------------------------------------------

model_state = Operation[ModelState]("rag.asking.loaded_model:model_state", Lane.READ, "Model state")
load_model = Operation[ModelState]("rag.asking.loaded_model:load_model", Lane.MODEL, "Load a model")
unload_model = Operation[ModelState]("rag.asking.loaded_model:unload_model", Lane.MODEL, "Unload the model")
try_model = Operation[ModelTest]("rag.asking.loaded_model:try_model", Lane.MODEL, "Try the model")
list_models = Operation[list[ModelEntry]]("rag.models.catalogue:list_models", Lane.READ, "List models")
choose_template = Operation[ModelEntry](
    "rag.asking.loaded_model:choose_template", Lane.WRITE, "Choose a chat template"
)
model_sha256 = Operation[str]("rag.models.catalogue:model_sha256", Lane.DATA, "Compute sha256")
get_model = Operation[Downloaded]("rag.models.getting.download:get_model", Lane.DATA, "Download a model")
forget_model = Operation[None]("rag.models.catalogue:forget_model", Lane.WRITE, "Forget a model")
add_model = Operation[ModelEntry]("rag.models.catalogue:add_model", Lane.WRITE, "Add a model")
connect_endpoint = Operation[Endpoint]("rag.asking.endpoints:connect_endpoint", Lane.DATA, "Connect {url}")
check_endpoint = Operation[Endpoint]("rag.asking.endpoints:check_endpoint", Lane.DATA, "Check “{name}”")
disconnect_endpoint = Operation[None](
    "rag.asking.endpoints:disconnect_endpoint", Lane.WRITE, "Disconnect “{name}”"
)
set_at_once = Operation[Endpoint](
    "rag.asking.endpoints:set_at_once", Lane.WRITE, "Change how many requests “{name}” is sent"
)
set_border = Operation[None](
    "rag.asking.endpoints:set_border", Lane.WRITE, "Choose what may leave this computer"
)
allow_leaving = Operation[None](
    "rag.asking.endpoints:allow_leaving", Lane.WRITE, "Let “{collection}” leave this computer"
)

# --- Collections and their versions ----------------------------------------------------------------------

diff_versions = Operation[VersionDiff](
    "rag.knowledge.version_diff:diff_versions", Lane.READ, "Compare versions"
)
diff_document = Operation[tuple[ChunkChange, ...]](
    "rag.knowledge.version_diff:diff_document", Lane.READ, "Compare a document"
)
count_files = Operation[tuple[int, int, int]]("rag.knowledge.ingest:count_files", Lane.READ, "Count files")
ingest_files = Operation[IngestReport](
    "rag.knowledge.ingest:ingest_files", Lane.INGEST, "Adding to “{collection}”"
)
ingest_sample = Operation[IngestReport](
    "rag.sample.making:ingest_sample", Lane.INGEST, "Preparing the sample collection"
)
check_folders = Operation[list[IngestReport]](
    "rag.knowledge.watched_folders:check_folders", Lane.INGEST, "Check followed folders"
)
exclude_chunks = Operation[VersionMade]("rag.knowledge.edits:exclude_chunks", Lane.INGEST, "Exclude chunks")
include_chunks = Operation[VersionMade]("rag.knowledge.edits:include_chunks", Lane.INGEST, "Include chunks")
find_similar_chunks = Operation[list[NearDuplicate]](
    "rag.knowledge.chunk_quality:near_duplicates_of", Lane.READ, "Find similar chunks"
)
find_near_duplicates = Operation[list[NearDuplicate]](
    "rag.knowledge.chunk_quality:near_duplicates", Lane.READ, "Look for near-duplicates"
)
find_suspicious_chunks = Operation[list[Suspect]](
    "rag.knowledge.chunk_quality:suspicious_chunks", Lane.READ, "Look for suspicious chunks"
)
map_embeddings = Operation[EmbeddingMap](
    "rag.knowledge.embedding_map:embedding_map", Lane.READ, "Draw the map"
)
edit_document = Operation[VersionMade]("rag.knowledge.edits:edit_document", Lane.INGEST, "Edit metadata")
remove_documents = Operation[VersionMade](
    "rag.knowledge.edits:remove_documents", Lane.INGEST, "Remove documents"
)
serve_index = Operation[VerificationReport](
    "rag.knowledge.index_sync:serve_index", Lane.INGEST, "Move the index"
)
preview_chunks = Operation[ChunkPreview](
    "rag.knowledge.preview.chunks:preview_chunks", Lane.READ, "Preview the chunks"
)
create_collection = Operation[str](
    "rag.knowledge.preview.chunks:create_collection", Lane.INGEST, "Make “{name}”"
)
rename_collection = Operation[None](
    "rag.knowledge.collections:rename_collection", Lane.INGEST, "Rename {name}"
)
delete_collection = Operation[None](
    "rag.knowledge.collections:delete_collection", Lane.INGEST, "Delete {name}"
)
watch_folder = Operation[int]("rag.knowledge.watched_folders:watch_folder", Lane.INGEST, "Follow a folder")
set_watching = Operation[None](
    "rag.knowledge.watched_folders:set_watching", Lane.INGEST, "Pause or resume a followed folder"
)
unwatch_folder = Operation[None](
    "rag.knowledge.watched_folders:unwatch_folder", Lane.INGEST, "Stop following a folder"
)
compare_versions = Operation[VersionComparison](
    "rag.evaluation.version_comparison:compare_versions", Lane.READ, "Compare versions {old} and {new}"
)
activate_version = Operation[ActivationReport](
    "rag.knowledge.versions:activate_version", Lane.INGEST, "Activate version {number}"
)
tag_version = Operation[None]("rag.knowledge.collections:tag_version", Lane.INGEST, "Tag a version")
discard_version = Operation[int]("rag.knowledge.trials:discard_version", Lane.INGEST, "Delete a version")
undo_version = Operation[ActivationReport]("rag.knowledge.versions:undo", Lane.INGEST, "Undo")
verify_index = Operation[VerificationReport](
    "rag.knowledge.index_sync:verify_index", Lane.INGEST, "Verify the index"
)
build_trial = Operation[VersionMade]("rag.knowledge.trials:build_trial", Lane.INGEST, "Build a trial")
untag_version = Operation[None]("rag.knowledge.collections:untag_version", Lane.INGEST, "Remove a tag")
add_verification_query = Operation[None](
    "rag.knowledge.verification:add_verification_query", Lane.INGEST, "Add a verification query"
)

# --- Chroma folders and servers --------------------------------------------------------------------------

list_chroma_records = Operation[ChromaPage](
    "rag.knowledge.chroma_exchange:list_records", Lane.READ, "List records"
)
search_chroma = Operation[ChromaPage]("rag.knowledge.chroma_exchange:search_text", Lane.READ, "Search")
search_chroma_like = Operation[ChromaPage]("rag.knowledge.chroma_exchange:search_like", Lane.READ, "Search")
export_to_chroma = Operation[int](
    "rag.knowledge.chroma_exchange:export_version", Lane.INGEST, "Export {collection}"
)
list_chroma_collections = Operation[list[ChromaCollection]](
    "rag.knowledge.chroma_exchange:list_collections", Lane.READ, "Open a Chroma"
)
import_from_chroma = Operation[ChromaImport](
    "rag.knowledge.chroma_exchange:import_collection", Lane.INGEST, "Import {collection}"
)

# --- Asking, sources and flags ---------------------------------------------------------------------------

render_page = Operation[RenderedPage]("rag.parsing.pdf:render_page", Lane.READ, "Draw a page")
flag_defaults = Operation[tuple[float, float]](
    "rag.asking.flag_limits:flag_defaults", Lane.READ, "Read the flag limits"
)
ask = Operation[AskResult | BlindResult]("rag.routing:ask", Lane.MODEL, "Ask: {question:.60}")
bind_session = Operation[None]("rag.asking.sessions.changes:bind_session", Lane.WRITE, "Bind a session")
rename_session = Operation[None]("rag.asking.sessions.changes:rename_session", Lane.WRITE, "Rename a session")
pin_session = Operation[None]("rag.asking.sessions.changes:pin_session", Lane.WRITE, "Pin a session")
delete_session = Operation[None]("rag.asking.sessions.changes:delete_session", Lane.WRITE, "Delete a session")
undelete_session = Operation[None](
    "rag.asking.sessions.changes:undelete_session", Lane.WRITE, "Restore a session"
)
show_branch = Operation[None]("rag.asking.sessions.changes:show_branch", Lane.WRITE, "Show a branch")
fit_calibration = Operation[CalibrationFit](
    "rag.asking.flag_limits:fit_calibration", Lane.READ, "Fit the flags"
)
apply_calibration = Operation[None]("rag.asking.flag_limits:apply_calibration", Lane.WRITE, "Use the fit")
remove_calibration = Operation[None](
    "rag.asking.flag_limits:remove_calibration", Lane.WRITE, "Remove the fit"
)
set_flag_limits = Operation[None]("rag.asking.flag_limits:set_limits", Lane.WRITE, "Save the flag limits")
set_opinion = Operation[None]("rag.asking.flag_limits:set_opinion", Lane.WRITE, "Save your verdict")
remove_opinion = Operation[None]("rag.asking.flag_limits:remove_opinion", Lane.WRITE, "Remove your verdict")
check_consistency = Operation[ConsistencyReport](
    "rag.asking.consistency:check_consistency", Lane.MODEL, "Ask again"
)

replay_trace = Operation[ReplayReport](
    "rag.interchange.replay.running:replay_trace", Lane.MODEL, "Replay a trace"
)
attribute_trace = Operation[Attribution](
    "rag.interchange.replay.running:attribute_trace", Lane.MODEL, "Find what carries a sentence"
)
pipeline_of_trace = Operation[str](
    "rag.interchange.replay.saving:pipeline_of_trace", Lane.WRITE, "Save the pipeline “{name}”"
)

# --- The answer cache ------------------------------------------------------------------------------------

cache_state = Operation[CacheState](
    "rag.monitoring.cache_check:cache_state", Lane.READ, "Look at the answer cache"
)
check_cache = Operation[CacheCheckReport](
    "rag.monitoring.cache_check:check_cache", Lane.MODEL, "Compare cached answers with fresh ones"
)
clear_cache = Operation[int](
    "rag.asking.cache.answer_cache:clear_cache", Lane.WRITE, "Clear the answer cache"
)

# --- The server for other programs -----------------------------------------------------------------------

start_server = Operation[ServerState]("rag.serving.running:start_server", Lane.WRITE, "Start the server")
stop_server = Operation[ServerState]("rag.serving.running:stop_server", Lane.WRITE, "Stop the server")
server_state = Operation[ServerState]("rag.serving.running:server_state", Lane.READ, "Look at the server")
read_tokens = Operation[list[Token]]("rag.serving.running:read_tokens", Lane.WRITE, "Read the tokens")
add_token = Operation[Token]("rag.serving.running:add_token", Lane.WRITE, "Make the token “{name}”")
remove_token = Operation[None]("rag.serving.running:remove_token", Lane.WRITE, "Revoke the token “{name}”")

# --- Traces of other applications, and ours to other tools -------------------------------------------------

start_receiver = Operation[ReceiverState](
    "rag.serving.receiver_switch:start_receiver", Lane.WRITE, "Start the receiver"
)
stop_receiver = Operation[ReceiverState](
    "rag.serving.receiver_switch:stop_receiver", Lane.WRITE, "Stop the receiver"
)
receiver_state = Operation[ReceiverState](
    "rag.serving.receiver_switch:receiver_state", Lane.READ, "Look at the receiver"
)
check_received_answers = Operation[int](
    "rag.serving.receiver_switch:check_received_answers", Lane.MODEL, "Check received answers"
)
export_file = Operation[int]("rag.interchange.export.files:export_file", Lane.READ, "Write traces")
send_traces = Operation[ExportReport]("rag.interchange.export.queue:send_traces", Lane.DATA, "Send traces")
send_waiting = Operation[ExportReport](
    "rag.interchange.export.queue:send_waiting", Lane.DATA, "Send what waits"
)
follow_traces = Operation[int](
    "rag.interchange.export.queue:follow_traces", Lane.WRITE, "Look for new traces"
)
clear_export_queue = Operation[int](
    "rag.interchange.export.queue:clear_queue", Lane.WRITE, "Clear the export queue"
)

# --- Costs -----------------------------------------------------------------------------------------------

record_costs = Operation[int]("rag.costs.usage:record_costs", Lane.WRITE, "Work out costs")
cost_elsewhere = Operation[CostSum]("rag.costs.usage:cost_elsewhere", Lane.READ, "Compare costs")

set_budget = Operation[BudgetRow](
    "rag.costs.budgets.limits:set_budget", Lane.WRITE, "Set the budget “{name}”"
)
remove_budget = Operation[None](
    "rag.costs.budgets.limits:remove_budget", Lane.WRITE, "Remove the budget “{name}”"
)
budget_news = Operation[list[BudgetUse]](
    "rag.costs.budgets.limits:note_states", Lane.WRITE, "Look at the budgets"
)

# --- Monitors --------------------------------------------------------------------------------------------

measure_summaries = Operation[list[MeasureSummary]](
    "rag.monitoring.measuring:summaries", Lane.READ, "Measure the questions"
)
stale_collections = Operation[list[tuple[str, str]]](
    "rag.monitoring.regression_questions:stale_collections", Lane.READ, "Look at the regression questions"
)
due_collections = Operation[list[str]](
    "rag.monitoring.regression_questions:due_collections", Lane.READ, "Look for questions of the day"
)
run_due = Operation[list[RegressionState]](
    "rag.monitoring.regression_questions:run_due", Lane.MODEL, "Ask the questions of the day"
)
run_regression_questions = Operation[list[RegressionState]](
    "rag.monitoring.regression_questions:run_all", Lane.MODEL, "Run the regression questions"
)
check_alerts = Operation[list[AlertRow]](
    "rag.monitoring.alerts:check_alerts", Lane.INGEST, "Check the alert rules"
)
acknowledge_alert = Operation[AlertRow](
    "rag.monitoring.alerts:acknowledge", Lane.WRITE, "Acknowledge an alert"
)
add_alert_rule = Operation[AlertRow]("rag.monitoring.alerts:add_rule", Lane.WRITE, "Add a rule")
change_alert_rule = Operation[AlertRow]("rag.monitoring.alerts:change_rule", Lane.WRITE, "Change a rule")
remove_alert_rule = Operation[None]("rag.monitoring.alerts:remove_rule", Lane.WRITE, "Remove a rule")
set_reference = Operation[int]("rag.monitoring.alerts:set_reference", Lane.WRITE, "Set the reference period")
clear_reference = Operation[None](
    "rag.monitoring.alerts:clear_reference", Lane.WRITE, "Remove the reference period"
)
test_drift = Operation[tuple[DriftResult, ...]]("rag.monitoring.drift:drift", Lane.INGEST, "Test for drift")
find_disagreements = Operation[tuple[AnswerDisagreement, ...]](
    "rag.monitoring.drift:disagreements", Lane.INGEST, "Look for disagreements"
)
list_regression_states = Operation[list[RegressionState]](
    "rag.monitoring.regression_questions:regression_states", Lane.READ, "List the regression questions"
)
add_regression_question = Operation[RegressionState](
    "rag.monitoring.regression_questions:add_regression_question", Lane.MODEL, "Add a regression question"
)
accept_regression_answer = Operation[RegressionState](
    "rag.monitoring.regression_questions:accept_answer", Lane.WRITE, "Accept an answer"
)
remove_regression_question = Operation[RegressionState](
    "rag.monitoring.regression_questions:remove_regression_question",
    Lane.WRITE,
    "Remove a regression question",
)

# --- Prompts ---------------------------------------------------------------------------------------------

save_prompt = Operation[PromptVersionRow]("rag.prompts.registry:save_prompt", Lane.WRITE, "Save a prompt")
delete_prompt = Operation[int]("rag.prompts.registry:delete_prompt", Lane.WRITE, "Delete a prompt")
set_prompt_label = Operation[LabelMove]("rag.prompts.registry:set_label", Lane.WRITE, "Move a label")
roll_back_prompt_label = Operation[LabelMove]("rag.prompts.registry:rollback_label", Lane.WRITE, "Roll back")
export_prompts = Operation[list[Path]]("rag.prompts.files:export_prompts", Lane.WRITE, "Export prompts")
import_prompts = Operation[PromptImport]("rag.prompts.files:import_prompts", Lane.WRITE, "Import prompts")
preview_prompt = Operation[PromptPreview](
    "rag.asking.prompt_preview:preview_prompt", Lane.READ, "Preview a prompt"
)

# --- Evaluation ------------------------------------------------------------------------------------------

check_judgements = Operation[JudgementCheck](
    "rag.evaluation.stale:check_judgements", Lane.READ, "Check judgements"
)
correct_judgements = Operation[str](
    "rag.evaluation.stale:correct_judgements", Lane.WRITE, "Correct judgements"
)
draft_case = Operation[str]("rag.evaluation.drafts:draft_case", Lane.WRITE, "Accept a draft")
save_case = Operation[str]("rag.evaluation.sets:save_case", Lane.WRITE, "Save a case")
remove_cases = Operation[None]("rag.evaluation.sets:remove_cases", Lane.WRITE, "Remove cases")
cases_of_traces = Operation[TracesAdded](
    "rag.evaluation.sets:cases_of_traces", Lane.WRITE, "Add questions to “{set_name}”"
)
read_checks = Operation[RuleText]("rag.evaluation.forms.checks:read_checks", Lane.READ, "Read the checks")
write_checks = Operation[RuleText]("rag.evaluation.forms.checks:write_checks", Lane.READ, "Write the checks")
read_gate = Operation[RuleText]("rag.evaluation.forms.gate:read_gate", Lane.READ, "Read the rules")
write_gate = Operation[RuleText]("rag.evaluation.forms.gate:write_gate", Lane.READ, "Write the rules")
list_metrics = Operation[tuple[MetricChoice, ...]](
    "rag.evaluation.forms.gate:list_metrics", Lane.READ, "List the metrics"
)
case_of_trace = Operation[str]("rag.evaluation.sets:case_of_trace", Lane.WRITE, "Add a case")
import_cases = Operation[CasesImported](
    "rag.evaluation.formats.importing:import_cases", Lane.WRITE, "Import cases"
)
diff_set = Operation[tuple[str, tuple[CaseChange, ...]]](
    "rag.evaluation.sets:diff_set", Lane.READ, "Compare two versions of a set"
)
export_set = Operation[tuple[str, ...]]("rag.evaluation.sets:export_set", Lane.WRITE, "Export cases")
preview_import = Operation[ImportPreview](
    "rag.evaluation.formats.importing:preview_import", Lane.READ, "Read the file"
)
restore_set_version = Operation[SetVersionRow | None](
    "rag.evaluation.sets:restore_version", Lane.WRITE, "Restore a version"
)
store_pipeline = Operation[int]("rag.evaluation.pipelines:store_pipeline", Lane.WRITE, "Save a pipeline")
present_pipeline = Operation[dict[str, Any]](
    "rag.evaluation.pipelines:present_pipeline", Lane.READ, "Read the current settings"
)
set_pipeline_label = Operation[LabelMove](
    "rag.evaluation.pipelines:move_pipeline_label", Lane.WRITE, "Move a label"
)
delete_pipeline = Operation[None]("rag.evaluation.pipelines:delete_pipeline", Lane.WRITE, "Delete a pipeline")
compare_runs = Operation[RunComparison](
    "rag.evaluation.comparison:compare_evaluations", Lane.READ, "Compare runs"
)
compare_costs = Operation[Savings](
    "rag.evaluation.cascades.savings:compare_costs", Lane.WRITE, "Compare costs"
)
threshold_curve = Operation[CascadeCurve](
    "rag.evaluation.cascades.savings:threshold_curve", Lane.WRITE, "Find the threshold"
)
find_set_power = Operation[Detectable](
    "rag.evaluation.comparison:set_power", Lane.READ, "What a set can show"
)
gate_run = Operation[GateOutcome](
    "rag.evaluation.gates.runs:gate_run", Lane.WRITE, "Check a run against a gate"
)
expected_costs = Operation[dict[str, Expected]](
    "rag.evaluation.runs:expected_costs", Lane.WRITE, "Work out what runs will cost"
)
start_runs = Operation[tuple[RunRow, ...]]("rag.evaluation.runs:start_runs", Lane.MODEL, "Evaluate")
evaluate_sample = Operation[tuple[RunRow, ...]](
    "rag.sample.making:evaluate_sample", Lane.MODEL, "Evaluate the sample"
)
resume_run = Operation[tuple[RunRow, ...]](
    "rag.evaluation.runs:resume_run", Lane.MODEL, "Resume run {run_id}"
)
delete_run = Operation[int]("rag.evaluation.runs:delete_run", Lane.WRITE, "Delete a run")
tag_run = Operation[None]("rag.evaluation.runs:tag_run", Lane.WRITE, "Tag a run")
untag_run = Operation[None]("rag.evaluation.runs:untag_run", Lane.WRITE, "Remove a tag")
create_set = Operation[None]("rag.evaluation.sets:create_set", Lane.WRITE, "Make a set")
rename_set = Operation[None]("rag.evaluation.sets:rename_set", Lane.WRITE, "Rename a set")
delete_set = Operation[int]("rag.evaluation.sets:delete_set", Lane.WRITE, "Delete a set")
generate_drafts = Operation[GenerationReport](
    "rag.evaluation.drafts:generate_drafts", Lane.MODEL, "Write drafts for “{set_name}”"
)
reject_draft = Operation[None]("rag.evaluation.drafts:reject_draft", Lane.WRITE, "Reject a draft")

# --- Review and roll-outs --------------------------------------------------------------------------------

feedback_case = Operation[str]("rag.review.feedback:feedback_case", Lane.WRITE, "Make a case")
review_case = Operation[str]("rag.review.queues:review_case", Lane.WRITE, "Make a case")
export_reviews = Operation[int]("rag.review.queues:export_reviews", Lane.WRITE, "Export reviews")
pick_blind_answer = Operation[Revealed]("rag.review.rollouts:pick_answer", Lane.WRITE, "Save the choice")
save_verdict = Operation[None]("rag.review.queues:save_verdict", Lane.WRITE, "Save a verdict")
fill_queue = Operation[int]("rag.review.queues:fill_queue", Lane.WRITE, "Fill the queue")
measure_agreement = Operation[list[ReviewerAgreement]](
    "rag.review.queues:reviewer_agreement", Lane.READ, "Compare the reviewers"
)
make_review_cases = Operation[tuple[int, int]]("rag.review.queues:make_cases", Lane.WRITE, "Make cases")
start_rollout = Operation[RolloutRow]("rag.review.rollouts:start_rollout", Lane.WRITE, "Start a roll-out")
read_rollout_results = Operation[RolloutResults](
    "rag.review.rollout_results:rollout_results", Lane.READ, "Compare the roll-out"
)
read_promotion = Operation[str]("rag.review.rollouts:preview_promotion", Lane.READ, "What a promotion moves")
stop_rollout = Operation[None]("rag.review.rollouts:stop_rollout", Lane.WRITE, "Stop the roll-out")
promote_rollout = Operation[str]("rag.review.rollouts:promote_rollout", Lane.WRITE, "Promote the roll-out")
add_feedback = Operation[FeedbackRow]("rag.review.feedback:add_feedback", Lane.WRITE, "Save your feedback")
remove_feedback = Operation[None]("rag.review.feedback:remove_feedback", Lane.WRITE, "Remove your feedback")

# --- guardrail policies -----------------------------------------------------------------------------------

save_policy = Operation[PolicyVersionRow](
    "rag.governance.policies.registry:save_policy", Lane.WRITE, "Save a policy"
)
delete_policy = Operation[int](
    "rag.governance.policies.registry:delete_policy", Lane.WRITE, "Delete a policy"
)
set_policy_label = Operation[LabelMove](
    "rag.governance.policies.registry:set_policy_label", Lane.WRITE, "Move a label"
)
roll_back_policy = Operation[LabelMove](
    "rag.governance.policies.registry:roll_back_policy", Lane.WRITE, "Roll back"
)
bind_policy = Operation[None]("rag.governance.policies.registry:bind_policy", Lane.WRITE, "Bind a policy")
diff_policies = Operation[PolicyDiff](
    "rag.governance.policies.registry:diff_policies", Lane.READ, "Compare versions of a policy"
)
export_policies = Operation[list[Path]](
    "rag.governance.policies.files:export_policies", Lane.WRITE, "Export policies"
)
import_policies = Operation[PolicyImport](
    "rag.governance.policies.files:import_policies", Lane.WRITE, "Import policies"
)
try_rules = Operation[Tried]("rag.governance.policies.trying:try_rules", Lane.READ, "Try a policy")
measure_policy = Operation[MeasureReport](
    "rag.governance.policies.measuring:measure_policy", Lane.DATA, "Measure a policy on your documents"
)
review_result = Operation[None](
    "rag.governance.policies.review:review_result", Lane.WRITE, "Review a guardrail result"
)
