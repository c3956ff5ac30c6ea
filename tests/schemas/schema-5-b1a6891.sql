-- Schema 5, made by commit b1a6891 (2026-11-23 Merge main: monitors).
CREATE TABLE collection (
	id INTEGER NOT NULL, 
	"key" VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	created_ms INTEGER NOT NULL, 
	embedder VARCHAR NOT NULL, 
	embedder_name VARCHAR NOT NULL, 
	chunking VARCHAR NOT NULL, 
	active_version_id INTEGER, 
	index_version_id INTEGER, 
	index_key VARCHAR NOT NULL, 
	index_server VARCHAR NOT NULL, 
	last_number INTEGER NOT NULL, 
	pending VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE ("key"), 
	UNIQUE (name)
);
CREATE TABLE document (
	id INTEGER NOT NULL, 
	collection_id INTEGER NOT NULL, 
	source VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	title VARCHAR NOT NULL, 
	media_type VARCHAR NOT NULL, 
	sha256 VARCHAR NOT NULL, 
	size_bytes INTEGER NOT NULL, 
	text VARCHAR NOT NULL, 
	places VARCHAR NOT NULL, 
	chunking VARCHAR NOT NULL, 
	chunk_count INTEGER NOT NULL, 
	token_count INTEGER NOT NULL, 
	created_ms INTEGER NOT NULL, 
	complete BOOLEAN NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX document_content ON document (collection_id, sha256);
CREATE INDEX document_source ON document (collection_id, source, sha256, chunking);
CREATE TABLE chunk (
	id INTEGER NOT NULL, 
	document_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	start INTEGER NOT NULL, 
	"end" INTEGER NOT NULL, 
	text VARCHAR NOT NULL, 
	text_hash VARCHAR NOT NULL, 
	token_count INTEGER NOT NULL, 
	place VARCHAR NOT NULL, 
	place_kind VARCHAR NOT NULL, 
	place_number INTEGER, 
	PRIMARY KEY (id)
);
CREATE INDEX ix_chunk_text_hash ON chunk (text_hash);
CREATE INDEX ix_chunk_document_id ON chunk (document_id);
CREATE TABLE embedding (
	text_hash VARCHAR NOT NULL, 
	embedder VARCHAR NOT NULL, 
	vector BLOB NOT NULL, 
	PRIMARY KEY (text_hash, embedder)
);
CREATE TABLE datasetversion (
	id INTEGER NOT NULL, 
	collection_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	created_ms INTEGER NOT NULL, 
	message VARCHAR NOT NULL, 
	embedder VARCHAR NOT NULL, 
	embedder_name VARCHAR NOT NULL, 
	chunking VARCHAR NOT NULL, 
	fingerprint VARCHAR NOT NULL, 
	document_count INTEGER NOT NULL, 
	chunk_count INTEGER NOT NULL, 
	token_count INTEGER NOT NULL, 
	added_count INTEGER NOT NULL, 
	replaced_count INTEGER NOT NULL, 
	removed_count INTEGER NOT NULL, 
	kind VARCHAR NOT NULL, 
	parent_id INTEGER, 
	chunks_added INTEGER NOT NULL, 
	chunks_removed INTEGER NOT NULL, 
	tokens_added INTEGER NOT NULL, 
	tokens_removed INTEGER NOT NULL, 
	excluded_count INTEGER NOT NULL, 
	text_count INTEGER NOT NULL, 
	index_fingerprint VARCHAR NOT NULL, 
	trial_key VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (collection_id, number)
);
CREATE INDEX ix_datasetversion_collection_id ON datasetversion (collection_id);
CREATE TABLE versiondocument (
	version_id INTEGER NOT NULL, 
	document_id INTEGER NOT NULL, 
	attributes VARCHAR NOT NULL, 
	PRIMARY KEY (version_id, document_id)
);
CREATE INDEX ix_versiondocument_document_id ON versiondocument (document_id);
CREATE TABLE versionexclusion (
	version_id INTEGER NOT NULL, 
	chunk_id INTEGER NOT NULL, 
	reason VARCHAR NOT NULL, 
	PRIMARY KEY (version_id, chunk_id)
);
CREATE TABLE versiontag (
	id INTEGER NOT NULL, 
	collection_id INTEGER NOT NULL, 
	version_id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	created_ms INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (collection_id, name)
);
CREATE INDEX ix_versiontag_version_id ON versiontag (version_id);
CREATE TABLE probe (
	id INTEGER NOT NULL, 
	collection_id INTEGER NOT NULL, 
	embedder VARCHAR NOT NULL, 
	text VARCHAR NOT NULL, 
	vector BLOB NOT NULL, 
	by_person BOOLEAN NOT NULL, 
	created_ms INTEGER NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX ix_probe_collection_id ON probe (collection_id);
CREATE TABLE proberesult (
	version_id INTEGER NOT NULL, 
	probe_id INTEGER NOT NULL, 
	hits VARCHAR NOT NULL, 
	PRIMARY KEY (version_id, probe_id)
);
CREATE TABLE proof (
	id INTEGER NOT NULL, 
	collection_id INTEGER NOT NULL, 
	version_id INTEGER NOT NULL, 
	created_ms INTEGER NOT NULL, 
	ok BOOLEAN NOT NULL, 
	fingerprint_same BOOLEAN NOT NULL, 
	vectors_checked INTEGER NOT NULL, 
	vectors_same INTEGER NOT NULL, 
	probe_count INTEGER NOT NULL, 
	probes_same INTEGER NOT NULL, 
	embedded_count INTEGER NOT NULL, 
	milliseconds FLOAT NOT NULL, 
	detail VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX ix_proof_version_id ON proof (version_id);
CREATE INDEX ix_proof_collection_id ON proof (collection_id);
CREATE TABLE embedderfolder (
	fingerprint VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	path VARCHAR NOT NULL, 
	added_ms INTEGER NOT NULL, 
	PRIMARY KEY (fingerprint)
);
CREATE TABLE watchedfolder (
	id INTEGER NOT NULL, 
	collection_id INTEGER NOT NULL, 
	path VARCHAR NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	quiet_s INTEGER NOT NULL, 
	created_ms INTEGER NOT NULL, 
	last_check_ms INTEGER, 
	last_change_ms INTEGER, 
	seen_signature VARCHAR NOT NULL, 
	seen_since_ms INTEGER NOT NULL, 
	done_signature VARCHAR NOT NULL, 
	outcome VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (collection_id, path)
);
CREATE TABLE model (
	id INTEGER NOT NULL, 
	path VARCHAR NOT NULL, 
	sha256 VARCHAR, 
	size_bytes INTEGER NOT NULL, 
	modified_ms INTEGER NOT NULL, 
	added_ms INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (path)
);
CREATE TABLE trace (
	id VARCHAR NOT NULL, 
	session_id VARCHAR NOT NULL, 
	created_ms INTEGER NOT NULL, 
	status VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	error VARCHAR NOT NULL, 
	question VARCHAR NOT NULL, 
	answer VARCHAR NOT NULL, 
	collection_id INTEGER, 
	collection VARCHAR NOT NULL, 
	version_id INTEGER, 
	version_number INTEGER, 
	version_fingerprint VARCHAR NOT NULL, 
	model VARCHAR NOT NULL, 
	model_sha256 VARCHAR NOT NULL, 
	prompt_name VARCHAR NOT NULL, 
	prompt_fingerprint VARCHAR NOT NULL, 
	prompt_version_id INTEGER, 
	prompt_version INTEGER, 
	prompt VARCHAR NOT NULL, 
	settings VARCHAR NOT NULL, 
	fallbacks VARCHAR NOT NULL, 
	finish_reason VARCHAR NOT NULL, 
	prompt_tokens INTEGER NOT NULL, 
	cached_tokens INTEGER NOT NULL, 
	completion_tokens INTEGER NOT NULL, 
	first_token_ms FLOAT, 
	tokens_per_s FLOAT, 
	retrieve_ms FLOAT, 
	read_ms FLOAT, 
	generate_ms FLOAT, 
	check_ms FLOAT, 
	total_ms FLOAT, 
	candidate_count INTEGER NOT NULL, 
	passage_count INTEGER NOT NULL, 
	passage_documents INTEGER NOT NULL, 
	searched_chunks INTEGER NOT NULL, 
	searched_documents INTEGER NOT NULL, 
	claim_count INTEGER NOT NULL, 
	flag_count INTEGER NOT NULL, 
	worst_verdict VARCHAR NOT NULL, 
	min_logprob FLOAT, 
	mean_logprob FLOAT, 
	outcome VARCHAR NOT NULL, 
	support_rate FLOAT, 
	contradicted_count INTEGER NOT NULL, 
	check_error VARCHAR NOT NULL, 
	best_score FLOAT, 
	silent_failures VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX ix_trace_model ON trace (model);
CREATE INDEX ix_trace_prompt_version_id ON trace (prompt_version_id);
CREATE INDEX ix_trace_collection_id ON trace (collection_id);
CREATE INDEX ix_trace_session_id ON trace (session_id);
CREATE INDEX ix_trace_created_ms ON trace (created_ms);
CREATE TABLE span (
	id INTEGER NOT NULL, 
	trace_id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	start_ms FLOAT NOT NULL, 
	end_ms FLOAT NOT NULL, 
	detail VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX ix_span_trace_id ON span (trace_id);
CREATE TABLE tracehit (
	id INTEGER NOT NULL, 
	trace_id VARCHAR NOT NULL, 
	chunk_id INTEGER NOT NULL, 
	document_id INTEGER NOT NULL, 
	document VARCHAR NOT NULL, 
	path VARCHAR NOT NULL, 
	place VARCHAR NOT NULL, 
	place_kind VARCHAR NOT NULL, 
	place_number INTEGER, 
	start INTEGER NOT NULL, 
	"end" INTEGER NOT NULL, 
	text VARCHAR NOT NULL, 
	token_count INTEGER NOT NULL, 
	dense_rank INTEGER, 
	dense_score FLOAT, 
	bm25_rank INTEGER, 
	bm25_score FLOAT, 
	fused_rank INTEGER NOT NULL, 
	fused_score FLOAT NOT NULL, 
	marker INTEGER, 
	dropped VARCHAR, 
	PRIMARY KEY (id)
);
CREATE INDEX ix_tracehit_trace_id ON tracehit (trace_id);
CREATE INDEX ix_tracehit_document_id ON tracehit (document_id);
CREATE INDEX ix_tracehit_chunk_id ON tracehit (chunk_id);
CREATE TABLE claim (
	id INTEGER NOT NULL, 
	trace_id VARCHAR NOT NULL, 
	text VARCHAR NOT NULL, 
	start INTEGER NOT NULL, 
	"end" INTEGER NOT NULL, 
	verdict VARCHAR NOT NULL, 
	score FLOAT, 
	reason VARCHAR NOT NULL, 
	evidence_marker INTEGER, 
	evidence_start INTEGER, 
	evidence_end INTEGER, 
	evidence_text VARCHAR NOT NULL, 
	raw_score FLOAT, 
	doubtful VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX ix_claim_trace_id ON claim (trace_id);
CREATE TABLE flagopinion (
	trace_id VARCHAR NOT NULL, 
	start INTEGER NOT NULL, 
	collection_id INTEGER, 
	verdict VARCHAR NOT NULL, 
	score FLOAT, 
	is_right BOOLEAN NOT NULL, 
	note VARCHAR NOT NULL, 
	created_ms INTEGER NOT NULL, 
	PRIMARY KEY (trace_id, start)
);
CREATE INDEX ix_flagopinion_collection_id ON flagopinion (collection_id);
CREATE TABLE flaglimits (
	collection_id INTEGER NOT NULL, 
	check_from FLOAT, 
	unsupported_from FLOAT, 
	slope FLOAT NOT NULL, 
	intercept FLOAT NOT NULL, 
	fitted_on INTEGER NOT NULL, 
	second_detector VARCHAR NOT NULL, 
	second_slope FLOAT NOT NULL, 
	second_intercept FLOAT NOT NULL, 
	updated_ms INTEGER NOT NULL, 
	PRIMARY KEY (collection_id)
);
CREATE TABLE consistencycheck (
	id INTEGER NOT NULL, 
	trace_id VARCHAR NOT NULL, 
	created_ms INTEGER NOT NULL, 
	temperature FLOAT NOT NULL, 
	samples VARCHAR NOT NULL, 
	clusters INTEGER NOT NULL, 
	agreement FLOAT NOT NULL, 
	semantic_entropy FLOAT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX ix_consistencycheck_trace_id ON consistencycheck (trace_id);
CREATE TABLE prompt (
	id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	created_ms INTEGER NOT NULL, 
	last_number INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
CREATE TABLE promptversion (
	id INTEGER NOT NULL, 
	prompt_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	created_ms INTEGER NOT NULL, 
	message VARCHAR NOT NULL, 
	author VARCHAR NOT NULL, 
	system VARCHAR NOT NULL, 
	user VARCHAR NOT NULL, 
	variables VARCHAR NOT NULL, 
	fingerprint VARCHAR NOT NULL, 
	notes VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (prompt_id, number)
);
CREATE INDEX ix_promptversion_prompt_id ON promptversion (prompt_id);
CREATE INDEX ix_promptversion_fingerprint ON promptversion (fingerprint);
CREATE TABLE promptlabel (
	prompt_id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	version_id INTEGER NOT NULL, 
	moved_ms INTEGER NOT NULL, 
	PRIMARY KEY (prompt_id, name)
);
CREATE TABLE promptlabelmove (
	id INTEGER NOT NULL, 
	prompt_id INTEGER NOT NULL, 
	label VARCHAR NOT NULL, 
	from_number INTEGER, 
	to_number INTEGER, 
	moved_ms INTEGER NOT NULL, 
	author VARCHAR NOT NULL, 
	note VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX ix_promptlabelmove_prompt_id ON promptlabelmove (prompt_id);
CREATE TABLE evaluationset (
	id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	created_ms INTEGER NOT NULL, 
	last_number INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
CREATE TABLE evaluationsetversion (
	id INTEGER NOT NULL, 
	set_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	created_ms INTEGER NOT NULL, 
	message VARCHAR NOT NULL, 
	fingerprint VARCHAR NOT NULL, 
	case_count INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (set_id, number)
);
CREATE INDEX ix_evaluationsetversion_set_id ON evaluationsetversion (set_id);
CREATE TABLE evaluationcase (
	id INTEGER NOT NULL, 
	set_id INTEGER NOT NULL, 
	"key" VARCHAR NOT NULL, 
	fingerprint VARCHAR NOT NULL, 
	question VARCHAR NOT NULL, 
	content VARCHAR NOT NULL, 
	created_ms INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (set_id, fingerprint)
);
CREATE INDEX ix_evaluationcase_key ON evaluationcase ("key");
CREATE TABLE evaluationsetcase (
	version_id INTEGER NOT NULL, 
	case_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	PRIMARY KEY (version_id, case_id)
);
CREATE INDEX ix_evaluationsetcase_case_id ON evaluationsetcase (case_id);
CREATE TABLE pipeline (
	id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	created_ms INTEGER NOT NULL, 
	last_number INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
CREATE TABLE pipelineversion (
	id INTEGER NOT NULL, 
	pipeline_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	created_ms INTEGER NOT NULL, 
	message VARCHAR NOT NULL, 
	fingerprint VARCHAR NOT NULL, 
	content VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (pipeline_id, number)
);
CREATE INDEX ix_pipelineversion_pipeline_id ON pipelineversion (pipeline_id);
CREATE TABLE pipelinelabel (
	pipeline_id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	version_id INTEGER NOT NULL, 
	moved_ms INTEGER NOT NULL, 
	PRIMARY KEY (pipeline_id, name)
);
CREATE TABLE pipelinelabelmove (
	id INTEGER NOT NULL, 
	pipeline_id INTEGER NOT NULL, 
	label VARCHAR NOT NULL, 
	from_number INTEGER, 
	to_number INTEGER, 
	moved_ms INTEGER NOT NULL, 
	author VARCHAR NOT NULL, 
	note VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX ix_pipelinelabelmove_pipeline_id ON pipelinelabelmove (pipeline_id);
CREATE TABLE evaluationrun (
	id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	error VARCHAR NOT NULL, 
	note VARCHAR NOT NULL, 
	set_name VARCHAR NOT NULL, 
	set_version_id INTEGER NOT NULL, 
	set_number INTEGER NOT NULL, 
	set_fingerprint VARCHAR NOT NULL, 
	pipeline VARCHAR NOT NULL, 
	pipeline_version_id INTEGER NOT NULL, 
	pipeline_number INTEGER NOT NULL, 
	pipeline_fingerprint VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	config VARCHAR NOT NULL, 
	case_count INTEGER NOT NULL, 
	repeats INTEGER NOT NULL, 
	seed INTEGER NOT NULL, 
	parallel INTEGER NOT NULL, 
	timeout_s FLOAT NOT NULL, 
	collection VARCHAR NOT NULL, 
	version_id INTEGER NOT NULL, 
	version_number INTEGER NOT NULL, 
	version_fingerprint VARCHAR NOT NULL, 
	index_fingerprint VARCHAR NOT NULL, 
	embedder VARCHAR NOT NULL, 
	prompt_name VARCHAR NOT NULL, 
	prompt_version_id INTEGER, 
	prompt_version INTEGER, 
	prompt_fingerprint VARCHAR NOT NULL, 
	model_file VARCHAR NOT NULL, 
	model_sha256 VARCHAR NOT NULL, 
	quantisation VARCHAR NOT NULL, 
	sampling VARCHAR NOT NULL, 
	libraries VARCHAR NOT NULL, 
	judge VARCHAR NOT NULL, 
	created_ms INTEGER NOT NULL, 
	started_ms INTEGER, 
	finished_ms INTEGER, 
	busy_s FLOAT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX ix_evaluationrun_pipeline ON evaluationrun (pipeline);
CREATE INDEX ix_evaluationrun_prompt_version_id ON evaluationrun (prompt_version_id);
CREATE INDEX ix_evaluationrun_created_ms ON evaluationrun (created_ms);
CREATE INDEX ix_evaluationrun_set_name ON evaluationrun (set_name);
CREATE INDEX ix_evaluationrun_pipeline_version_id ON evaluationrun (pipeline_version_id);
CREATE TABLE evaluationruntag (
	run_id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	PRIMARY KEY (run_id, name)
);
CREATE INDEX ix_evaluationruntag_name ON evaluationruntag (name);
CREATE TABLE evaluationresult (
	id INTEGER NOT NULL, 
	run_id INTEGER NOT NULL, 
	case_key VARCHAR NOT NULL, 
	repeat INTEGER NOT NULL, 
	outcome VARCHAR NOT NULL, 
	trace_id VARCHAR NOT NULL, 
	metrics VARCHAR NOT NULL, 
	checks VARCHAR NOT NULL, 
	judge VARCHAR NOT NULL, 
	latency_ms FLOAT, 
	prompt_tokens INTEGER NOT NULL, 
	completion_tokens INTEGER NOT NULL, 
	reused_trace VARCHAR NOT NULL, 
	error VARCHAR NOT NULL, 
	created_ms INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (run_id, case_key, repeat)
);
CREATE INDEX ix_evaluationresult_trace_id ON evaluationresult (trace_id);
CREATE TABLE resultverdict (
	result_id INTEGER NOT NULL, 
	is_right BOOLEAN NOT NULL, 
	note VARCHAR NOT NULL, 
	author VARCHAR NOT NULL, 
	created_ms INTEGER NOT NULL, 
	PRIMARY KEY (result_id)
);
CREATE TABLE evaluationgate (
	id INTEGER NOT NULL, 
	run_id INTEGER NOT NULL, 
	baseline_run_id INTEGER, 
	gate_sha256 VARCHAR NOT NULL, 
	passed BOOLEAN NOT NULL, 
	sentence VARCHAR NOT NULL, 
	rows VARCHAR NOT NULL, 
	created_ms INTEGER NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX ix_evaluationgate_run_id ON evaluationgate (run_id);
CREATE TABLE gaterequirement (
	kind VARCHAR NOT NULL, 
	subject_id INTEGER NOT NULL, 
	set_name VARCHAR NOT NULL, 
	gate VARCHAR NOT NULL, 
	gate_sha256 VARCHAR NOT NULL, 
	author VARCHAR NOT NULL, 
	created_ms INTEGER NOT NULL, 
	PRIMARY KEY (kind, subject_id)
);
CREATE TABLE auditevent (
	id INTEGER NOT NULL, 
	created_ms INTEGER NOT NULL, 
	action VARCHAR NOT NULL, 
	subject VARCHAR NOT NULL, 
	detail VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX ix_auditevent_created_ms ON auditevent (created_ms);
CREATE TABLE referenceperiod (
	collection VARCHAR NOT NULL, 
	start_ms INTEGER NOT NULL, 
	end_ms INTEGER NOT NULL, 
	note VARCHAR NOT NULL, 
	PRIMARY KEY (collection)
);
CREATE TABLE alertrule (
	id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	measure VARCHAR NOT NULL, 
	collection VARCHAR NOT NULL, 
	model VARCHAR NOT NULL, 
	prompt VARCHAR NOT NULL, 
	comparison VARCHAR NOT NULL, 
	threshold FLOAT, 
	window INTEGER NOT NULL, 
	minimum INTEGER NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	note VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	since_ms INTEGER NOT NULL, 
	checked_ms INTEGER NOT NULL, 
	value FLOAT, 
	count INTEGER NOT NULL, 
	"limit" FLOAT, 
	sentence VARCHAR NOT NULL, 
	acknowledged VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
CREATE TABLE questionvector (
	text_hash VARCHAR NOT NULL, 
	embedder VARCHAR NOT NULL, 
	vector BLOB NOT NULL, 
	PRIMARY KEY (text_hash, embedder)
);
CREATE TABLE frozenquestion (
	id INTEGER NOT NULL, 
	collection_id INTEGER NOT NULL, 
	question VARCHAR NOT NULL, 
	reference_trace_id VARCHAR NOT NULL, 
	created_ms INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (collection_id, question)
);
CREATE TABLE frozenrun (
	id INTEGER NOT NULL, 
	collection_id INTEGER NOT NULL, 
	created_ms INTEGER NOT NULL, 
	version_number INTEGER NOT NULL, 
	version_fingerprint VARCHAR NOT NULL, 
	model VARCHAR NOT NULL, 
	prompt_fingerprint VARCHAR NOT NULL, 
	settings VARCHAR NOT NULL, 
	question_count INTEGER NOT NULL, 
	changed_count INTEGER NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX ix_frozenrun_collection_id ON frozenrun (collection_id);
CREATE TABLE frozenresult (
	run_id INTEGER NOT NULL, 
	question_id INTEGER NOT NULL, 
	trace_id VARCHAR NOT NULL, 
	reference_trace_id VARCHAR NOT NULL, 
	passage_overlap FLOAT NOT NULL, 
	answer_similarity FLOAT, 
	change VARCHAR NOT NULL, 
	PRIMARY KEY (run_id, question_id)
);
CREATE VIRTUAL TABLE chunk_fts USING fts5(text, content='', tokenize='unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE trace_fts USING fts5(text, content='', tokenize='unicode61 remove_diacritics 2', prefix='2 3');
CREATE VIRTUAL TABLE chunk_terms USING fts5vocab(chunk_fts, instance);
CREATE INDEX document_facts ON document (id, collection_id, name, source, title, media_type, sha256,
    size_bytes, chunking, chunk_count, token_count, created_ms);
CREATE INDEX trace_list ON trace (created_ms DESC, id);
CREATE INDEX trace_flagged ON trace (created_ms DESC) WHERE flag_count > 0;
CREATE INDEX trace_verdict ON trace (worst_verdict, created_ms DESC);
CREATE INDEX trace_collection ON trace (collection, created_ms DESC);
CREATE INDEX trace_model ON trace (model, created_ms DESC);
CREATE INDEX trace_source ON trace (source, created_ms DESC);
CREATE INDEX trace_status ON trace (status, created_ms DESC);
INSERT INTO "collection" ("id", "key", "name", "created_ms", "embedder", "embedder_name", "chunking", "active_version_id", "index_version_id", "index_key", "index_server", "last_number", "pending") VALUES (1, 'c-c8bff8f171343f2c', 'Kitchen', 1795760568859, 'fake-embedder', 'fake', '{"max_tokens":200,"overlap_tokens":24}', 2, 2, 'c-c8bff8f171343f2c', '', 2, '');
INSERT INTO "document" ("id", "collection_id", "source", "name", "title", "media_type", "sha256", "size_bytes", "text", "places", "chunking", "chunk_count", "token_count", "created_ms", "complete") VALUES (1, 1, '/documents/bread.md', 'bread.md', 'Bread', 'text/markdown', '9bfe24e612d461e8d750d17a2802d2fb1cf0c0e2a7a42fa959f59ca1ff8a662d', 57, '# Bread

Rye bread needs sourdough and 12 hours of rest.
', '[["section", null, "Bread", 0, 56]]', '8e7e2c5b8f9e00dc', 1, 14, 1795760569048, 1);
INSERT INTO "document" ("id", "collection_id", "source", "name", "title", "media_type", "sha256", "size_bytes", "text", "places", "chunking", "chunk_count", "token_count", "created_ms", "complete") VALUES (2, 1, '/documents/tides.txt', 'tides.txt', 'tides', 'text/plain', 'de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386', 57, 'The tide at Bremen rises 3.5 metres. Boats leave at noon.', '[]', '8e7e2c5b8f9e00dc', 1, 15, 1795760569053, 1);
INSERT INTO "document" ("id", "collection_id", "source", "name", "title", "media_type", "sha256", "size_bytes", "text", "places", "chunking", "chunk_count", "token_count", "created_ms", "complete") VALUES (3, 1, '/documents/bread.md', 'bread.md', 'Bread', 'text/markdown', 'c7ddf57f8ef3360d0a9d2df3a52616086e815811b98191f724b9c0145d452793', 57, '# Bread

Rye bread needs sourdough and 24 hours of rest.
', '[["section", null, "Bread", 0, 56]]', '8e7e2c5b8f9e00dc', 1, 14, 1795760570471, 1);
INSERT INTO "chunk" ("id", "document_id", "position", "start", "end", "text", "text_hash", "token_count", "place", "place_kind", "place_number") VALUES (1, 1, 0, 0, 56, '# Bread

Rye bread needs sourdough and 12 hours of rest.', 'f038c0c0fbf345c120feef0c8ab2135a084f6558903e7b502f6cd6eeb8484835', 14, 'Bread', 'section', NULL);
INSERT INTO "chunk" ("id", "document_id", "position", "start", "end", "text", "text_hash", "token_count", "place", "place_kind", "place_number") VALUES (2, 2, 0, 0, 57, 'The tide at Bremen rises 3.5 metres. Boats leave at noon.', 'de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386', 15, '', '', NULL);
INSERT INTO "chunk" ("id", "document_id", "position", "start", "end", "text", "text_hash", "token_count", "place", "place_kind", "place_number") VALUES (3, 3, 0, 0, 56, '# Bread

Rye bread needs sourdough and 24 hours of rest.', '0157552fcfc8f3b03824071d11bb4d1178dc0a73c562424c63f876c44b5efb23', 14, 'Bread', 'section', NULL);
INSERT INTO "embedding" ("text_hash", "embedder", "vector") VALUES ('de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386', 'fake-embedder', floats('2:77d6883e 56:77d6883e 132:77d6883e 213:77d6883e 315:77d6883e 331:77d6883e 417:77d6083f 462:77d6883e 755:77d6883e 855:77d6883e 985:77d6883e'));
INSERT INTO "embedding" ("text_hash", "embedder", "vector") VALUES ('f038c0c0fbf345c120feef0c8ab2135a084f6558903e7b502f6cd6eeb8484835', 'fake-embedder', floats('125:3acd933e 230:3acd133f 559:3acd933e 571:3acd933e 627:3acd933e 632:3acd933e 740:3acd933e 764:3acd933e 784:3acd933e'));
INSERT INTO "embedding" ("text_hash", "embedder", "vector") VALUES ('0157552fcfc8f3b03824071d11bb4d1178dc0a73c562424c63f876c44b5efb23', 'fake-embedder', floats('125:3acd933e 230:3acd133f 351:3acd933e 559:3acd933e 571:3acd933e 627:3acd933e 632:3acd933e 740:3acd933e 764:3acd933e'));
INSERT INTO "datasetversion" ("id", "collection_id", "number", "created_ms", "message", "embedder", "embedder_name", "chunking", "fingerprint", "document_count", "chunk_count", "token_count", "added_count", "replaced_count", "removed_count", "kind", "parent_id", "chunks_added", "chunks_removed", "tokens_added", "tokens_removed", "excluded_count", "text_count", "index_fingerprint", "trial_key") VALUES (1, 1, 1, 1795760570259, 'Added 2', 'fake-embedder', 'fake', '{"max_tokens":200,"overlap_tokens":24}', '12a53baa7506dec1c8624fb9e974c2f2f62ce237a9bc6e98fe73dc834588ce0c', 2, 2, 29, 2, 0, 0, 'ingest', NULL, 2, 0, 29, 0, 0, 2, '1a1bf38487d6950465893eafd618ec01fba67e32014a8b754efa6747d7545fea', '');
INSERT INTO "datasetversion" ("id", "collection_id", "number", "created_ms", "message", "embedder", "embedder_name", "chunking", "fingerprint", "document_count", "chunk_count", "token_count", "added_count", "replaced_count", "removed_count", "kind", "parent_id", "chunks_added", "chunks_removed", "tokens_added", "tokens_removed", "excluded_count", "text_count", "index_fingerprint", "trial_key") VALUES (2, 1, 2, 1795760570561, 'Replaced 1', 'fake-embedder', 'fake', '{"max_tokens":200,"overlap_tokens":24}', '7b320e5c67b6b25ecb33819a0173b9886327309cc492b80b83c4ebd02d0c6183', 2, 2, 29, 0, 1, 0, 'ingest', 1, 1, 1, 14, 14, 0, 2, '244da632639e00b9430ab70a00c048144a7f647be47ae323f7c8c34b24ff21ee', '');
INSERT INTO "versiondocument" ("version_id", "document_id", "attributes") VALUES (1, 1, '');
INSERT INTO "versiondocument" ("version_id", "document_id", "attributes") VALUES (1, 2, '');
INSERT INTO "versiondocument" ("version_id", "document_id", "attributes") VALUES (2, 2, '');
INSERT INTO "versiondocument" ("version_id", "document_id", "attributes") VALUES (2, 3, '');
INSERT INTO "versionexclusion" ("version_id", "chunk_id", "reason") VALUES (1, 1, 'versionexclusion reason');
INSERT INTO "versiontag" ("id", "collection_id", "version_id", "name", "created_ms") VALUES (1, 1, 1, 'versiontag name', 1700000000000);
INSERT INTO "probe" ("id", "collection_id", "embedder", "text", "vector", "by_person", "created_ms") VALUES (1, 1, 'fake-embedder', 'tide bremen rises 3', floats('2:77d6883e 56:77d6883e 132:77d6883e 213:77d6883e 315:77d6883e 331:77d6883e 417:77d6083f 462:77d6883e 755:77d6883e 855:77d6883e 985:77d6883e'), 0, 1795760570284);
INSERT INTO "probe" ("id", "collection_id", "embedder", "text", "vector", "by_person", "created_ms") VALUES (2, 1, 'fake-embedder', 'bread rye needs sourdough', floats('125:3acd933e 230:3acd133f 559:3acd933e 571:3acd933e 627:3acd933e 632:3acd933e 740:3acd933e 764:3acd933e 784:3acd933e'), 0, 1795760570289);
INSERT INTO "proberesult" ("version_id", "probe_id", "hits") VALUES (1, 1, '{"dense": ["de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386", "f038c0c0fbf345c120feef0c8ab2135a084f6558903e7b502f6cd6eeb8484835"], "words": ["de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386"]}');
INSERT INTO "proberesult" ("version_id", "probe_id", "hits") VALUES (1, 2, '{"dense": ["f038c0c0fbf345c120feef0c8ab2135a084f6558903e7b502f6cd6eeb8484835", "de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386"], "words": ["f038c0c0fbf345c120feef0c8ab2135a084f6558903e7b502f6cd6eeb8484835"]}');
INSERT INTO "proberesult" ("version_id", "probe_id", "hits") VALUES (2, 1, '{"dense": ["de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386", "0157552fcfc8f3b03824071d11bb4d1178dc0a73c562424c63f876c44b5efb23"], "words": ["de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386"]}');
INSERT INTO "proberesult" ("version_id", "probe_id", "hits") VALUES (2, 2, '{"dense": ["0157552fcfc8f3b03824071d11bb4d1178dc0a73c562424c63f876c44b5efb23", "de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386"], "words": ["0157552fcfc8f3b03824071d11bb4d1178dc0a73c562424c63f876c44b5efb23"]}');
INSERT INTO "proof" ("id", "collection_id", "version_id", "created_ms", "ok", "fingerprint_same", "vectors_checked", "vectors_same", "probe_count", "probes_same", "embedded_count", "milliseconds", "detail") VALUES (1, 1, 1, 1795760570306, 1, 1, 2, 2, 2, 2, 0, 34.20530100004271, '');
INSERT INTO "proof" ("id", "collection_id", "version_id", "created_ms", "ok", "fingerprint_same", "vectors_checked", "vectors_same", "probe_count", "probes_same", "embedded_count", "milliseconds", "detail") VALUES (2, 1, 2, 1795760570651, 1, 1, 2, 2, 2, 2, 0, 41.40572799997244, '');
INSERT INTO "proof" ("id", "collection_id", "version_id", "created_ms", "ok", "fingerprint_same", "vectors_checked", "vectors_same", "probe_count", "probes_same", "embedded_count", "milliseconds", "detail") VALUES (3, 1, 1, 1795760571462, 1, 1, 2, 2, 2, 2, 0, 22.00548100006472, '');
INSERT INTO "proof" ("id", "collection_id", "version_id", "created_ms", "ok", "fingerprint_same", "vectors_checked", "vectors_same", "probe_count", "probes_same", "embedded_count", "milliseconds", "detail") VALUES (4, 1, 2, 1795760571517, 1, 1, 2, 2, 2, 2, 0, 21.869576999961282, '');
INSERT INTO "embedderfolder" ("fingerprint", "name", "path", "added_ms") VALUES ('embedderfolder fingerprint', 'embedderfolder name', 'embedderfolder path', 1700000000000);
INSERT INTO "watchedfolder" ("id", "collection_id", "path", "enabled", "quiet_s", "created_ms", "last_check_ms", "last_change_ms", "seen_signature", "seen_since_ms", "done_signature", "outcome") VALUES (1, 1, 'watchedfolder path', 1, 1, 1700000000000, 1700000000000, 1700000000000, 'watchedfolder seen_signature', 1700000000000, 'watchedfolder done_signature', 'watchedfolder outcome');
INSERT INTO "model" ("id", "path", "sha256", "size_bytes", "modified_ms", "added_ms") VALUES (1, 'model path', 'model sha256', 1, 1700000000000, 1700000000000);
INSERT INTO "trace" ("id", "session_id", "created_ms", "status", "source", "error", "question", "answer", "collection_id", "collection", "version_id", "version_number", "version_fingerprint", "model", "model_sha256", "prompt_name", "prompt_fingerprint", "prompt_version_id", "prompt_version", "prompt", "settings", "fallbacks", "finish_reason", "prompt_tokens", "cached_tokens", "completion_tokens", "first_token_ms", "tokens_per_s", "retrieve_ms", "read_ms", "generate_ms", "check_ms", "total_ms", "candidate_count", "passage_count", "passage_documents", "searched_chunks", "searched_documents", "claim_count", "flag_count", "worst_verdict", "min_logprob", "mean_logprob", "outcome", "support_rate", "contradicted_count", "check_error", "best_score", "silent_failures") VALUES ('47865d9604198b0e03797a3c99888d59', 'd29c444416f6dc2792ea95bcb8845a98', 1795760570695, 'done', 'person', '', 'What does rye bread need?', 'Rye bread needs sourdough [1].', 1, 'Kitchen', 2, 2, '7b320e5c67b6b25ecb33819a0173b9886327309cc492b80b83c4ebd02d0c6183', 'scripted', '0000000000000000000000000000000000000000000000000000000000000000', 'default', '090436f2b514027a', 1, 1, 'system: You answer questions from numbered passages. Answer in one short sentence and end it with the number of the passage, like [1].
user: [1] # Bread

Rye bread needs sourdough and 24 hours of rest.

Question: What does rye bread need?', '{"chunking":{"max_tokens":200,"overlap_tokens":24},"retrieval":{"search":"hybrid","candidates":40,"rrf_k":60,"max_passages":6,"context_tokens":1400,"min_similarity":0.3},"generation":{"context":4096,"max_answer_tokens":256,"temperature":0.0,"top_p":0.95,"seed":42,"repeat_penalty":1.0,"gpu_layers":0,"threads":0,"ask_without_passages":false},"models":{"active":"","folders":[]},"monitors":{"run_frozen_after_change":false},"appearance":{"theme":"system"}}', '[]', 'stop', 42, 0, 5, 59.3762120000747, 28512.97698727815, 14.689253000028657, 0.20676799999819195, 0.14028699990831228, 10.704987999929472, 70.51321200003713, 2, 1, 1, 2, 2, 1, 0, 'supported', -0.5, -0.5, 'answered', 1.0, 0, '', 0.387298, '');
INSERT INTO "trace" ("id", "session_id", "created_ms", "status", "source", "error", "question", "answer", "collection_id", "collection", "version_id", "version_number", "version_fingerprint", "model", "model_sha256", "prompt_name", "prompt_fingerprint", "prompt_version_id", "prompt_version", "prompt", "settings", "fallbacks", "finish_reason", "prompt_tokens", "cached_tokens", "completion_tokens", "first_token_ms", "tokens_per_s", "retrieve_ms", "read_ms", "generate_ms", "check_ms", "total_ms", "candidate_count", "passage_count", "passage_documents", "searched_chunks", "searched_documents", "claim_count", "flag_count", "worst_verdict", "min_logprob", "mean_logprob", "outcome", "support_rate", "contradicted_count", "check_error", "best_score", "silent_failures") VALUES ('5a515a3a0831403a2870eea6014ba33f', '2fd344bd816d1a81aca83109780ee873', 1795760570862, 'done', 'person', '', 'When do the boats leave?', 'The boat leaves at noon. The boat leaves at noon. The boat leaves at noon. The boat leaves at noon. The boat leaves at noon. The boat leaves at noon. ', 1, 'Kitchen', 2, 2, '7b320e5c67b6b25ecb33819a0173b9886327309cc492b80b83c4ebd02d0c6183', 'scripted', '0000000000000000000000000000000000000000000000000000000000000000', 'default', '090436f2b514027a', 1, 1, 'system: You answer questions from numbered passages. Answer in one short sentence and end it with the number of the passage, like [1].
user: [1] The tide at Bremen rises 3.5 metres. Boats leave at noon.

Question: When do the boats leave?', '{"chunking":{"max_tokens":200,"overlap_tokens":24},"retrieval":{"search":"hybrid","candidates":40,"rrf_k":60,"max_passages":6,"context_tokens":1400,"min_similarity":0.3},"generation":{"context":4096,"max_answer_tokens":256,"temperature":0.0,"top_p":0.95,"seed":42,"repeat_penalty":1.0,"gpu_layers":0,"threads":0,"ask_without_passages":false},"models":{"active":"","folders":[]},"monitors":{"run_frozen_after_change":false},"appearance":{"theme":"system"}}', '[]', 'stop', 42, 0, 30, 272.3231969999915, 55058.551921081744, 56.24874400007229, 0.07109000000582455, 0.5267120000098657, 5.989845000044625, 279.27404399997613, 2, 1, 1, 2, 2, 6, 0, 'supported', -0.5, -0.5, 'answered', 1.0, 0, '', 0.358569, 'repeated text');
INSERT INTO "trace" ("id", "session_id", "created_ms", "status", "source", "error", "question", "answer", "collection_id", "collection", "version_id", "version_number", "version_fingerprint", "model", "model_sha256", "prompt_name", "prompt_fingerprint", "prompt_version_id", "prompt_version", "prompt", "settings", "fallbacks", "finish_reason", "prompt_tokens", "cached_tokens", "completion_tokens", "first_token_ms", "tokens_per_s", "retrieve_ms", "read_ms", "generate_ms", "check_ms", "total_ms", "candidate_count", "passage_count", "passage_documents", "searched_chunks", "searched_documents", "claim_count", "flag_count", "worst_verdict", "min_logprob", "mean_logprob", "outcome", "support_rate", "contradicted_count", "check_error", "best_score", "silent_failures") VALUES ('c192405d2fffdae3a883cdf028ff7a4e', 'f47d0e353ab4a0d35964ef0f73ec903e', 1795760571246, 'nothing found', 'person', '', 'Zzz?', 'Nothing in this collection is close to the question, so the model was not asked.', 1, 'Kitchen', 2, 2, '7b320e5c67b6b25ecb33819a0173b9886327309cc492b80b83c4ebd02d0c6183', '', '', 'default', '090436f2b514027a', 1, 1, '', '{"chunking":{"max_tokens":200,"overlap_tokens":24},"retrieval":{"search":"hybrid","candidates":40,"rrf_k":60,"max_passages":6,"context_tokens":1400,"min_similarity":0.3},"generation":{"context":4096,"max_answer_tokens":256,"temperature":0.0,"top_p":0.95,"seed":42,"repeat_penalty":1.0,"gpu_layers":0,"threads":0,"ask_without_passages":false},"models":{"active":"","folders":[]},"monitors":{"run_frozen_after_change":false},"appearance":{"theme":"system"}}', '[]', '', 0, 0, 0, NULL, NULL, 57.64244600004531, NULL, NULL, NULL, 101.29557100003694, 2, 0, 0, 2, 2, 0, 0, '', NULL, NULL, '', NULL, 0, '', 0.0, '');
INSERT INTO "trace" ("id", "session_id", "created_ms", "status", "source", "error", "question", "answer", "collection_id", "collection", "version_id", "version_number", "version_fingerprint", "model", "model_sha256", "prompt_name", "prompt_fingerprint", "prompt_version_id", "prompt_version", "prompt", "settings", "fallbacks", "finish_reason", "prompt_tokens", "cached_tokens", "completion_tokens", "first_token_ms", "tokens_per_s", "retrieve_ms", "read_ms", "generate_ms", "check_ms", "total_ms", "candidate_count", "passage_count", "passage_documents", "searched_chunks", "searched_documents", "claim_count", "flag_count", "worst_verdict", "min_logprob", "mean_logprob", "outcome", "support_rate", "contradicted_count", "check_error", "best_score", "silent_failures") VALUES ('040f3e8aed77a4ef2e7074e47ef05b83', 'ed4814cb56e6955ef28b757f3a06e25a', 1795760572707, 'done', 'evaluation', '', 'What does rye bread need?', 'Rye bread needs sourdough [1].', 1, 'Kitchen', 2, 2, '7b320e5c67b6b25ecb33819a0173b9886327309cc492b80b83c4ebd02d0c6183', 'scripted', '0000000000000000000000000000000000000000000000000000000000000000', 'default', '090436f2b514027a', 1, 1, 'system: You answer questions from numbered passages. Answer in one short sentence and end it with the number of the passage, like [1].
user: [1] # Bread

Rye bread needs sourdough and 24 hours of rest.

Question: What does rye bread need?', '{"chunking":{"max_tokens":200,"overlap_tokens":24},"retrieval":{"search":"hybrid","candidates":40,"rrf_k":60,"max_passages":6,"context_tokens":1400,"min_similarity":0.3},"generation":{"context":4096,"max_answer_tokens":256,"temperature":0.0,"top_p":0.95,"seed":1492453676,"repeat_penalty":1.0,"gpu_layers":0,"threads":0,"ask_without_passages":false},"models":{"active":"","folders":[]},"monitors":{"run_frozen_after_change":false},"appearance":{"theme":"system"}}', '[]', 'stop', 42, 0, 5, 33.35650099995746, 27983.57363531536, 14.530271000012362, 0.0663880000502104, 0.14294100003553467, 5.338431000041055, 39.1333959998974, 2, 1, 1, 2, 2, 1, 0, 'supported', -0.5, -0.5, 'answered', 1.0, 0, '', 0.387298, '');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (1, '47865d9604198b0e03797a3c99888d59', 'embed', 'EMBEDDING', 32.90729700006523, 33.162494000066545, 'fake');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (2, '47865d9604198b0e03797a3c99888d59', 'dense', 'RETRIEVER', 33.183425000061106, 44.46578000010959, '');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (3, '47865d9604198b0e03797a3c99888d59', 'lexical', 'RETRIEVER', 44.486570000117354, 46.893898000121226, 'BM25');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (4, '47865d9604198b0e03797a3c99888d59', 'fuse', 'CHAIN', 46.91061300002275, 47.52383400011695, 'RRF k=60');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (5, '47865d9604198b0e03797a3c99888d59', 'load', 'CHAIN', 48.28135200000361, 48.29024399998616, 'SmolLM2-135M-Instruct.Q4_1.gguf');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (6, '47865d9604198b0e03797a3c99888d59', 'pack', 'PROMPT', 48.341444000016054, 59.123506999981146, 'prompt default version 1');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (7, '47865d9604198b0e03797a3c99888d59', 'read prompt', 'LLM', 59.16944400007651, 59.3762120000747, '0 tokens cached');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (8, '47865d9604198b0e03797a3c99888d59', 'generate', 'LLM', 59.3762120000747, 59.516498999983014, '5 tokens');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (9, '47865d9604198b0e03797a3c99888d59', 'check', 'EVALUATOR', 59.577185000080135, 70.24544500006868, 'grounding detector');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (10, '5a515a3a0831403a2870eea6014ba33f', 'embed', 'EMBEDDING', 208.23695700005374, 208.48572800002785, 'fake');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (11, '5a515a3a0831403a2870eea6014ba33f', 'dense', 'RETRIEVER', 208.50454900005388, 260.4505299999573, '');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (12, '5a515a3a0831403a2870eea6014ba33f', 'lexical', 'RETRIEVER', 260.4733189999706, 263.51855100006105, 'BM25');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (13, '5a515a3a0831403a2870eea6014ba33f', 'fuse', 'CHAIN', 263.5400579999896, 264.3758469999966, 'RRF k=60');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (14, '5a515a3a0831403a2870eea6014ba33f', 'load', 'CHAIN', 265.32965600006264, 265.34617699996943, 'SmolLM2-135M-Instruct.Q4_1.gguf');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (15, '5a515a3a0831403a2870eea6014ba33f', 'pack', 'PROMPT', 265.47007600004235, 272.20314999999573, 'prompt default version 1');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (16, '5a515a3a0831403a2870eea6014ba33f', 'read prompt', 'LLM', 272.2521069999857, 272.3231969999915, '0 tokens cached');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (17, '5a515a3a0831403a2870eea6014ba33f', 'generate', 'LLM', 272.3231969999915, 272.8499090000014, '30 tokens');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (18, '5a515a3a0831403a2870eea6014ba33f', 'check', 'EVALUATOR', 272.9223339999862, 278.8753119999683, 'grounding detector');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (19, 'c192405d2fffdae3a883cdf028ff7a4e', 'embed', 'EMBEDDING', 43.51214500002243, 43.73897899995427, 'fake');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (20, 'c192405d2fffdae3a883cdf028ff7a4e', 'dense', 'RETRIEVER', 43.756005999966874, 97.35259299998233, '');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (21, 'c192405d2fffdae3a883cdf028ff7a4e', 'lexical', 'RETRIEVER', 97.37326300000859, 100.20111699998324, 'BM25');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (22, 'c192405d2fffdae3a883cdf028ff7a4e', 'fuse', 'CHAIN', 100.21976799998811, 101.08180199995331, 'RRF k=60');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (23, '040f3e8aed77a4ef2e7074e47ef05b83', 'embed', 'EMBEDDING', 11.441255000022466, 11.687142000027961, 'fake');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (24, '040f3e8aed77a4ef2e7074e47ef05b83', 'dense', 'RETRIEVER', 11.703145999945264, 18.664181999952234, '');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (25, '040f3e8aed77a4ef2e7074e47ef05b83', 'lexical', 'RETRIEVER', 18.68131000003359, 20.89573000000655, 'BM25');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (26, '040f3e8aed77a4ef2e7074e47ef05b83', 'fuse', 'CHAIN', 20.914386999947965, 25.86296200001925, 'RRF k=60');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (27, '040f3e8aed77a4ef2e7074e47ef05b83', 'load', 'CHAIN', 26.209049999920353, 26.225705999991078, 'SmolLM2-135M-Instruct.Q4_1.gguf');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (28, '040f3e8aed77a4ef2e7074e47ef05b83', 'pack', 'PROMPT', 26.297123999938776, 33.1384229999685, 'prompt default version 1');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (29, '040f3e8aed77a4ef2e7074e47ef05b83', 'read prompt', 'LLM', 33.29011299990725, 33.35650099995746, '0 tokens cached');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (30, '040f3e8aed77a4ef2e7074e47ef05b83', 'generate', 'LLM', 33.35650099995746, 33.499441999992996, '5 tokens');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (31, '040f3e8aed77a4ef2e7074e47ef05b83', 'check', 'EVALUATOR', 33.56156299992108, 38.864575999923545, 'grounding detector');
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (1, '47865d9604198b0e03797a3c99888d59', 3, 3, 'bread.md', '/documents/bread.md', 'Bread', 'section', NULL, 0, 56, '# Bread

Rye bread needs sourdough and 24 hours of rest.', 14, 1, 0.387298, 1, 1.665476, 1, 0.03278688524590164, 1, NULL);
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (2, '47865d9604198b0e03797a3c99888d59', 2, 2, 'tides.txt', '/documents/tides.txt', '', '', NULL, 0, 57, 'The tide at Bremen rises 3.5 metres. Boats leave at noon.', 15, 2, 0.0, NULL, NULL, 2, 0.016129032258064516, NULL, 'similarity 0.00 below 0.30');
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (3, '5a515a3a0831403a2870eea6014ba33f', 2, 2, 'tides.txt', '/documents/tides.txt', '', '', NULL, 0, 57, 'The tide at Bremen rises 3.5 metres. Boats leave at noon.', 15, 1, 0.358569, 1, 1.367011, 1, 0.03278688524590164, 1, NULL);
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (4, '5a515a3a0831403a2870eea6014ba33f', 3, 3, 'bread.md', '/documents/bread.md', 'Bread', 'section', NULL, 0, 56, '# Bread

Rye bread needs sourdough and 24 hours of rest.', 14, 2, 0.0, NULL, NULL, 2, 0.016129032258064516, NULL, 'similarity 0.00 below 0.30');
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (5, 'c192405d2fffdae3a883cdf028ff7a4e', 2, 2, 'tides.txt', '/documents/tides.txt', '', '', NULL, 0, 57, 'The tide at Bremen rises 3.5 metres. Boats leave at noon.', 15, 1, 0.0, NULL, NULL, 1, 0.01639344262295082, NULL, 'similarity 0.00 below 0.30');
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (6, 'c192405d2fffdae3a883cdf028ff7a4e', 3, 3, 'bread.md', '/documents/bread.md', 'Bread', 'section', NULL, 0, 56, '# Bread

Rye bread needs sourdough and 24 hours of rest.', 14, 2, 0.0, NULL, NULL, 2, 0.016129032258064516, NULL, 'similarity 0.00 below 0.30');
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (7, '040f3e8aed77a4ef2e7074e47ef05b83', 3, 3, 'bread.md', '/documents/bread.md', 'Bread', 'section', NULL, 0, 56, '# Bread

Rye bread needs sourdough and 24 hours of rest.', 14, 1, 0.387298, 1, 1.665476, 1, 0.03278688524590164, 1, NULL);
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (8, '040f3e8aed77a4ef2e7074e47ef05b83', 2, 2, 'tides.txt', '/documents/tides.txt', '', '', NULL, 0, 57, 'The tide at Bremen rises 3.5 metres. Boats leave at noon.', 15, 2, 0.0, NULL, NULL, 2, 0.016129032258064516, NULL, 'similarity 0.00 below 0.30');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text", "raw_score", "doubtful") VALUES (1, '47865d9604198b0e03797a3c99888d59', 'Rye bread needs sourdough [1].', 0, 30, 'supported', 0.0029828157546495926, '', 1, 9, 56, 'Rye bread needs sourdough and 24 hours of rest.', 0.0029828157546495926, '');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text", "raw_score", "doubtful") VALUES (2, '5a515a3a0831403a2870eea6014ba33f', 'The boat leaves at noon.', 0, 24, 'supported', 0.00579685727085761, '', 1, 37, 57, 'Boats leave at noon.', 0.00579685727085761, '');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text", "raw_score", "doubtful") VALUES (3, '5a515a3a0831403a2870eea6014ba33f', 'The boat leaves at noon.', 25, 49, 'supported', 0.00579685727085761, '', 1, 37, 57, 'Boats leave at noon.', 0.00579685727085761, '');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text", "raw_score", "doubtful") VALUES (4, '5a515a3a0831403a2870eea6014ba33f', 'The boat leaves at noon.', 50, 74, 'supported', 0.00579685727085761, '', 1, 37, 57, 'Boats leave at noon.', 0.00579685727085761, '');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text", "raw_score", "doubtful") VALUES (5, '5a515a3a0831403a2870eea6014ba33f', 'The boat leaves at noon.', 75, 99, 'supported', 0.00579685727085761, '', 1, 37, 57, 'Boats leave at noon.', 0.00579685727085761, '');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text", "raw_score", "doubtful") VALUES (6, '5a515a3a0831403a2870eea6014ba33f', 'The boat leaves at noon.', 100, 124, 'supported', 0.00579685727085761, '', 1, 37, 57, 'Boats leave at noon.', 0.00579685727085761, '');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text", "raw_score", "doubtful") VALUES (7, '5a515a3a0831403a2870eea6014ba33f', 'The boat leaves at noon.', 125, 149, 'supported', 0.00579685727085761, '', 1, 37, 57, 'Boats leave at noon.', 0.00579685727085761, '');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text", "raw_score", "doubtful") VALUES (8, '040f3e8aed77a4ef2e7074e47ef05b83', 'Rye bread needs sourdough [1].', 0, 30, 'supported', 0.0029828157546495926, '', 1, 9, 56, 'Rye bread needs sourdough and 24 hours of rest.', 0.0029828157546495926, '');
INSERT INTO "flagopinion" ("trace_id", "start", "collection_id", "verdict", "score", "is_right", "note", "created_ms") VALUES ('47865d9604198b0e03797a3c99888d59', 1, 1, 'flagopinion verdict', 0.5, 1, 'flagopinion note', 1700000000000);
INSERT INTO "flaglimits" ("collection_id", "check_from", "unsupported_from", "slope", "intercept", "fitted_on", "second_detector", "second_slope", "second_intercept", "updated_ms") VALUES (1, 0.5, 0.5, 0.5, 0.5, 1, '', 0.5, 0.5, 1700000000000);
INSERT INTO "consistencycheck" ("id", "trace_id", "created_ms", "temperature", "samples", "clusters", "agreement", "semantic_entropy") VALUES (1, '47865d9604198b0e03797a3c99888d59', 1700000000000, 0.5, 'consistencycheck samples', 1, 0.5, 0.5);
INSERT INTO "prompt" ("id", "name", "description", "created_ms", "last_number") VALUES (1, 'default', 'What answers questions: the version that has the label production.', 1795760568814, 1);
INSERT INTO "prompt" ("id", "name", "description", "created_ms", "last_number") VALUES (2, 'short', '', 1795760571524, 1);
INSERT INTO "promptversion" ("id", "prompt_id", "number", "created_ms", "message", "author", "system", "user", "variables", "fingerprint", "notes") VALUES (1, 1, 1, 1795760568830, 'Built in', 'Ragdeck', 'You answer questions from numbered passages. Answer in one short sentence and end it with the number of the passage, like [1].', '{% for passage in passages -%}
[{{ passage.marker }}] {{ passage.text }}

{% endfor -%}
Question: {{ question }}', '["passages", "question"]', '090436f2b514027a', '');
INSERT INTO "promptversion" ("id", "prompt_id", "number", "created_ms", "message", "author", "system", "user", "variables", "fingerprint", "notes") VALUES (2, 2, 1, 1795760571530, 'first', 'root', 'Be brief.', '{{ question }} {{ passages }}', '["passages", "question"]', '28817ba44c43d514', '');
INSERT INTO "promptlabel" ("prompt_id", "name", "version_id", "moved_ms") VALUES (1, 'production', 1, 1795760568841);
INSERT INTO "promptlabelmove" ("id", "prompt_id", "label", "from_number", "to_number", "moved_ms", "author", "note") VALUES (1, 1, 'production', NULL, 1, 1795760568841, 'Ragdeck', 'Built in');
INSERT INTO "evaluationset" ("id", "name", "description", "created_ms", "last_number") VALUES (1, 'gold', '', 1795760571602, 1);
INSERT INTO "evaluationsetversion" ("id", "set_id", "number", "created_ms", "message", "fingerprint", "case_count") VALUES (1, 1, 1, 1795760571618, 'Added “What does rye bread need?”', 'ead13f3f4f5cffe0785fe9f14ad4d7d4e0471609aa1142f03bf513780384e913', 1);
INSERT INTO "evaluationcase" ("id", "set_id", "key", "fingerprint", "question", "content", "created_ms") VALUES (1, 1, 'ccd453cc2188', '5c73afe035d95d630a0fba35a3869584364a518b42ab70f681162760d4b1dd85', 'What does rye bread need?', '{"key":"ccd453cc2188","question":"What does rye bread need?","references":["Sourdough"],"judgements":[],"should_refuse":false,"tags":[],"weight":1.0,"checks":[],"origin":"hand","cluster":""}', 1795760571616);
INSERT INTO "evaluationsetcase" ("version_id", "case_id", "position") VALUES (1, 1, 0);
INSERT INTO "pipeline" ("id", "name", "created_ms", "last_number") VALUES (1, 'P', 1795760571648, 1);
INSERT INTO "pipelineversion" ("id", "pipeline_id", "number", "created_ms", "message", "fingerprint", "content") VALUES (1, 1, 1, 1795760571652, 'No message', '15f7f513560d2effb33845227c7466fb173b4f2e0752288b765efc45b25aacf4', '{"collection":"Kitchen","version":"active","prompt":"default","model":"","retrieval":{"search":"hybrid","candidates":40,"rrf_k":60,"max_passages":6,"context_tokens":1400,"min_similarity":0.3},"generation":{"context":4096,"max_answer_tokens":256,"temperature":0.0,"top_p":0.95,"seed":42,"repeat_penalty":1.0,"gpu_layers":0,"threads":0,"ask_without_passages":false},"checks":[],"kind":"answer"}');
INSERT INTO "pipelinelabel" ("pipeline_id", "name", "version_id", "moved_ms") VALUES (1, 'pipelinelabel name', 1, 1700000000000);
INSERT INTO "pipelinelabelmove" ("id", "pipeline_id", "label", "from_number", "to_number", "moved_ms", "author", "note") VALUES (1, 1, 'pipelinelabelmove label', 1, 1, 1700000000000, 'pipelinelabelmove author', 'pipelinelabelmove note');
INSERT INTO "evaluationrun" ("id", "name", "status", "error", "note", "set_name", "set_version_id", "set_number", "set_fingerprint", "pipeline", "pipeline_version_id", "pipeline_number", "pipeline_fingerprint", "kind", "config", "case_count", "repeats", "seed", "parallel", "timeout_s", "collection", "version_id", "version_number", "version_fingerprint", "index_fingerprint", "embedder", "prompt_name", "prompt_version_id", "prompt_version", "prompt_fingerprint", "model_file", "model_sha256", "quantisation", "sampling", "libraries", "judge", "created_ms", "started_ms", "finished_ms", "busy_s") VALUES (1, 'gold · P 1', 'done', '', '', 'gold', 1, 1, 'ead13f3f4f5cffe0785fe9f14ad4d7d4e0471609aa1142f03bf513780384e913', 'P', 1, 1, '15f7f513560d2effb33845227c7466fb173b4f2e0752288b765efc45b25aacf4', 'answer', '{"collection":"Kitchen","version":"2","prompt":"default@1","model":"/models/SmolLM2-135M-Instruct.Q4_1.gguf","retrieval":{"search":"hybrid","candidates":40,"rrf_k":60,"max_passages":6,"context_tokens":1400,"min_similarity":0.3},"generation":{"context":4096,"max_answer_tokens":256,"temperature":0.0,"top_p":0.95,"seed":42,"repeat_penalty":1.0,"gpu_layers":0,"threads":0,"ask_without_passages":false},"checks":[],"kind":"answer"}', 1, 1, 0, 1, 300.0, 'Kitchen', 2, 2, '7b320e5c67b6b25ecb33819a0173b9886327309cc492b80b83c4ebd02d0c6183', '244da632639e00b9430ab70a00c048144a7f647be47ae323f7c8c34b24ff21ee', 'fake-embedder', 'default', 1, 1, '090436f2b514027a', 'SmolLM2-135M-Instruct.Q4_1.gguf', 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53', 'Q4_1', '{"context":4096,"max_answer_tokens":256,"temperature":0.0,"top_p":0.95,"repeat_penalty":1.0}', '{"python": "3.11.7", "sentence-transformers": "6.2.0", "torch": "2.13.0+cpu", "tokenizers": "0.23.3", "numpy": "2.4.6", "chromadb": "1.5.9"}', '', 1795760572682, 1795760572704, 1795760572769, 0.06117502299991884);
INSERT INTO "evaluationruntag" ("run_id", "name") VALUES (1, 'evaluationruntag name');
INSERT INTO "evaluationresult" ("id", "run_id", "case_key", "repeat", "outcome", "trace_id", "metrics", "checks", "judge", "latency_ms", "prompt_tokens", "completion_tokens", "reused_trace", "error", "created_ms") VALUES (1, 1, 'ccd453cc2188', 0, 'ok', '040f3e8aed77a4ef2e7074e47ef05b83', '{"recall_at_k": null, "precision_at_k": null, "hit_rate": null, "mrr": null, "map": null, "ndcg_at_k": null, "context_precision": null, "context_recall": null, "exact_match": 0.0, "token_f1": 0.4, "citation_precision": null, "citation_recall": null, "answer_similarity": 0.5, "answer_relevance": 0.447213595499958, "faithfulness": 1.0, "support_rate": 1.0, "contradiction_rate": 0.0, "refusal_accuracy": 1.0, "correct_refusal": null, "false_refusal": 0.0, "checks_passed": null, "prompt_tokens": 42.0, "completion_tokens": 5.0, "total_ms": 39.1333959998974}', '[]', '', 39.1333959998974, 42, 5, '', '', 1795760572760);
INSERT INTO "resultverdict" ("result_id", "is_right", "note", "author", "created_ms") VALUES (1, 1, 'resultverdict note', 'resultverdict author', 1700000000000);
INSERT INTO "evaluationgate" ("id", "run_id", "baseline_run_id", "gate_sha256", "passed", "sentence", "rows", "created_ms") VALUES (1, 1, 1, 'evaluationgate gate_sha256', 1, 'evaluationgate sentence', 'evaluationgate rows', 1700000000000);
INSERT INTO "gaterequirement" ("kind", "subject_id", "set_name", "gate", "gate_sha256", "author", "created_ms") VALUES ('gaterequirement kind', 1, 'gaterequirement set_name', 'gaterequirement gate', 'gaterequirement gate_sha256', 'gaterequirement author', 1700000000000);
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (1, 1795760568830, 'prompt version made', 'default 1', 'Built in');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (2, 1795760568849, 'prompt label moved', 'default@production', 'to version 1');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (3, 1795760568859, 'collection made', 'Kitchen', '');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (4, 1795760570267, 'version made', 'Kitchen', 'version 1: Added 2');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (5, 1795760570306, 'index proved', 'Kitchen', 'version 1: fingerprint as expected, 2 of 2 vectors checked are the same, 2 of 2 probes find the same passages.');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (6, 1795760570563, 'version made', 'Kitchen', 'version 2: Replaced 1');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (7, 1795760570654, 'index proved', 'Kitchen', 'version 2: fingerprint as expected, 2 of 2 vectors checked are the same, 2 of 2 probes find the same passages.');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (8, 1795760571412, 'version activated', 'Kitchen', 'version 1');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (9, 1795760571462, 'index proved', 'Kitchen', 'version 1: fingerprint as expected, 2 of 2 vectors checked are the same, 2 of 2 probes find the same passages.');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (10, 1795760571482, 'version activated', 'Kitchen', 'version 2');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (11, 1795760571518, 'index proved', 'Kitchen', 'version 2: fingerprint as expected, 2 of 2 vectors checked are the same, 2 of 2 probes find the same passages.');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (12, 1795760571530, 'prompt version made', 'short 1', 'first');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (13, 1795760571602, 'evaluation set made', 'gold', '');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (14, 1795760571653, 'pipeline version made', 'P 1', 'No message');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (15, 1795760572691, 'evaluation begun', 'gold · P 1', 'run 1, 1 cases');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (16, 1795760572769, 'evaluation done', 'gold · P 1', 'run 1');
INSERT INTO "referenceperiod" ("collection", "start_ms", "end_ms", "note") VALUES ('referenceperiod collection', 1700000000000, 1700000000000, 'referenceperiod note');
INSERT INTO "alertrule" ("id", "name", "measure", "collection", "model", "prompt", "comparison", "threshold", "window", "minimum", "enabled", "note", "state", "since_ms", "checked_ms", "value", "count", "limit", "sentence", "acknowledged") VALUES (1, 'More flagged answers', 'flag_rate', '', '', '', 'above', NULL, 50, 20, 1, 'Beyond the control limit of the reference period; with no change at most 1 of 670 windows are. Windows overlap, so a false alarm lasts for some asks.', 'not enough data', 0, 1795760570785, NULL, 0, NULL, 'no reference period is chosen', '');
INSERT INTO "alertrule" ("id", "name", "measure", "collection", "model", "prompt", "comparison", "threshold", "window", "minimum", "enabled", "note", "state", "since_ms", "checked_ms", "value", "count", "limit", "sentence", "acknowledged") VALUES (2, 'More contradictions', 'contradiction_rate', '', '', '', 'above', NULL, 50, 20, 1, 'Beyond the control limit of the reference period; with no change at most 1 of 670 windows are. Windows overlap, so a false alarm lasts for some asks.', 'not enough data', 0, 1795760570785, NULL, 0, NULL, 'no reference period is chosen', '');
INSERT INTO "alertrule" ("id", "name", "measure", "collection", "model", "prompt", "comparison", "threshold", "window", "minimum", "enabled", "note", "state", "since_ms", "checked_ms", "value", "count", "limit", "sentence", "acknowledged") VALUES (3, 'More refusals', 'refusal_rate', '', '', '', 'above', NULL, 50, 20, 1, 'Beyond the control limit of the reference period; with no change at most 1 of 670 windows are. Windows overlap, so a false alarm lasts for some asks.', 'not enough data', 0, 1795760570785, NULL, 0, NULL, 'no reference period is chosen', '');
INSERT INTO "alertrule" ("id", "name", "measure", "collection", "model", "prompt", "comparison", "threshold", "window", "minimum", "enabled", "note", "state", "since_ms", "checked_ms", "value", "count", "limit", "sentence", "acknowledged") VALUES (4, 'More empty retrievals', 'empty_retrieval_rate', '', '', '', 'above', NULL, 50, 20, 1, 'Beyond the control limit of the reference period; with no change at most 1 of 670 windows are. Windows overlap, so a false alarm lasts for some asks.', 'not enough data', 0, 1795760570785, NULL, 0, NULL, 'no reference period is chosen', '');
INSERT INTO "alertrule" ("id", "name", "measure", "collection", "model", "prompt", "comparison", "threshold", "window", "minimum", "enabled", "note", "state", "since_ms", "checked_ms", "value", "count", "limit", "sentence", "acknowledged") VALUES (5, 'Lower retrieval scores', 'best_score', '', '', '', 'below', NULL, 50, 20, 1, 'Beyond the control limit of the reference period; with no change at most 1 of 740 windows are. Windows overlap, so a false alarm lasts for some asks.', 'not enough data', 0, 1795760570785, NULL, 0, NULL, 'no reference period is chosen', '');
INSERT INTO "alertrule" ("id", "name", "measure", "collection", "model", "prompt", "comparison", "threshold", "window", "minimum", "enabled", "note", "state", "since_ms", "checked_ms", "value", "count", "limit", "sentence", "acknowledged") VALUES (6, 'Slower answers', 'latency', '', '', '', 'above', NULL, 50, 20, 1, 'Beyond the control limit of the reference period; with no change at most 1 of 740 windows are. Windows overlap, so a false alarm lasts for some asks.', 'not enough data', 0, 1795760570785, NULL, 0, NULL, 'no reference period is chosen', '');
INSERT INTO "alertrule" ("id", "name", "measure", "collection", "model", "prompt", "comparison", "threshold", "window", "minimum", "enabled", "note", "state", "since_ms", "checked_ms", "value", "count", "limit", "sentence", "acknowledged") VALUES (7, 'Silent failures', 'silent_failure_rate', '', '', '', 'above', 0.05, 50, 20, 1, 'On 422 real answers of six models (RAGTruth) the checks raised one alarm; at that rate 3 in 50 by chance is one window in 4,000.', 'not enough data', 0, 1795760571166, NULL, 2, NULL, 'not enough asks (2 of 20)', '');
INSERT INTO "alertrule" ("id", "name", "measure", "collection", "model", "prompt", "comparison", "threshold", "window", "minimum", "enabled", "note", "state", "since_ms", "checked_ms", "value", "count", "limit", "sentence", "acknowledged") VALUES (8, 'Other questions than before', 'question_drift', '', '', '', 'below', 0.01, 100, 20, 1, 'Energy test against the reference period: 1 % of tests alarm with no drift. When a fifth of the questions is on a new topic, 72 % of tests find it at 100 asks, 36 % at 50 (XQuAD and Cranfield, reference of 100).', 'not enough data', 0, 0, NULL, 0, NULL, '', '');
INSERT INTO "alertrule" ("id", "name", "measure", "collection", "model", "prompt", "comparison", "threshold", "window", "minimum", "enabled", "note", "state", "since_ms", "checked_ms", "value", "count", "limit", "sentence", "acknowledged") VALUES (9, 'Other scores than before', 'score_drift', '', '', '', 'below', 0.01, 100, 20, 1, 'Kolmogorov-Smirnov test against the reference period: exact, so 1 % of tests alarm with no drift.', 'not enough data', 0, 0, NULL, 0, NULL, '', '');
INSERT INTO "questionvector" ("text_hash", "embedder", "vector") VALUES ('questionvector text_hash', 'questionvector embedder', X'00010203');
INSERT INTO "frozenquestion" ("id", "collection_id", "question", "reference_trace_id", "created_ms") VALUES (1, 1, 'frozenquestion question', '47865d9604198b0e03797a3c99888d59', 1700000000000);
INSERT INTO "frozenrun" ("id", "collection_id", "created_ms", "version_number", "version_fingerprint", "model", "prompt_fingerprint", "settings", "question_count", "changed_count") VALUES (1, 1, 1700000000000, 1, 'frozenrun version_fingerprint', 'frozenrun model', 'frozenrun prompt_fingerprint', 'frozenrun settings', 1, 1);
INSERT INTO "frozenresult" ("run_id", "question_id", "trace_id", "reference_trace_id", "passage_overlap", "answer_similarity", "change") VALUES (1, 1, '47865d9604198b0e03797a3c99888d59', '47865d9604198b0e03797a3c99888d59', 0.5, 0.5, 'frozenresult change');
REPLACE INTO "chunk_fts_data" ("id", "block") VALUES (1, X'0320');
REPLACE INTO "chunk_fts_data" ("id", "block") VALUES (10, X'000000000103030003010101020101030101');
REPLACE INTO "chunk_fts_data" ("id", "block") VALUES (137438953473, X'00000057033031320102080103616e6401020701056272656164010402040105686f75727301020901056e6565647301020501026f6601020a01047265737401020b020279650102030109736f7572646f7567680102060407080b0a0a070907');
REPLACE INTO "chunk_fts_data" ("id", "block") VALUES (274877906945, X'00000064023033020207010135020208010261740204040a0105626f61747302020a020572656d656e02020501056c6561766502020b01066d657472657302020901046e6f6f6e02020d0105726973657302020601037468650202020203696465020203040606080a0a0a0b090a08');
REPLACE INTO "chunk_fts_data" ("id", "block") VALUES (412316860417, X'00000057033032340302080103616e6403020701056272656164030402040105686f75727303020901056e6565647303020501026f6603020a01047265737403020b020279650302030109736f7572646f7567680302060407080b0a0a070907');
REPLACE INTO "chunk_fts_idx" ("segid", "term", "pgno") VALUES (1, X'', 2);
REPLACE INTO "chunk_fts_idx" ("segid", "term", "pgno") VALUES (2, X'', 2);
REPLACE INTO "chunk_fts_idx" ("segid", "term", "pgno") VALUES (3, X'', 2);
REPLACE INTO "chunk_fts_docsize" ("id", "sz") VALUES (1, X'0a');
REPLACE INTO "chunk_fts_docsize" ("id", "sz") VALUES (2, X'0c');
REPLACE INTO "chunk_fts_docsize" ("id", "sz") VALUES (3, X'0a');
REPLACE INTO "chunk_fts_config" ("k", "v") VALUES ('version', 4);
REPLACE INTO "trace_fts_data" ("id", "block") VALUES (1, X'0447');
REPLACE INTO "trace_fts_data" ("id", "block") VALUES (10, X'000000000104040004010101020101030101040101');
REPLACE INTO "trace_fts_data" ("id", "block") VALUES (137438953473, X'000000af02303101020b01056272656164010405050104646f657301020301046e6565640102060501730102090103727965010404050109736f7572646f75676801020a0104776861740102020003316272010405050102646f01020301026e650104060501027279010404050102736f01020a01027768010202000432627265010405050103646f6501020301036e6565010406050103727965010404050103736f7501020a010377686101020204060b090906090e090907080807070a08090908');
REPLACE INTO "trace_fts_data" ("id", "block") VALUES (274877906945, X'000000f303306174020c0a07070707070104626f6174020c0807070707070501730202050102646f02020301056c65617665020206060173020c09070707070701046e6f6f6e020c0b07070707070103746865020e0405070707070701047768656e0202020003316174020c0a07070707070102626f020e050507070707070102646f02020301026c65020e0605070707070701026e6f020c0b070707070701027468020e0405070707070701027768020202000432626f61020e0505070707070701036c6561020e0605070707070701036e6f6f020c0b07070707070103746865020e040507070707070103776865020202040c0e06070a0b0e0e090d0d070d0c0d070f0e0d0e');
REPLACE INTO "trace_fts_data" ("id", "block") VALUES (412316860417, X'00000134063061736b65640302110105636c6f736503020802096f6c6c656374696f6e0302060102696e03020402017303020701056d6f64656c03020e01036e6f74030210040468696e6703020301087175657374696f6e03020b0102736f03020c010374686503040a050302697303020502016f030209010377617303020f01037a7a7a03020200033161730302110102636c03020802016f0302060102696e03020402017303020701026d6f03020e01026e6f0304030f0102717503020b0102736f03020c01027468030605070502016f0302090102776103020f01027a7a03020200043261736b0302110103636c6f03020802026f6c03020601036d6f6403020e01036e6f740304030f010371756503020b010374686503040a05030169030205010377617303020f01037a7a7a030202040a0a0e07060a08090d07090706080808070607060708070709060707090807080908090608');
REPLACE INTO "trace_fts_data" ("id", "block") VALUES (549755813889, X'000000af02303104020b01056272656164040405050104646f657304020301046e6565640402060501730402090103727965040404050109736f7572646f75676804020a0104776861740402020003316272040405050102646f04020301026e650404060501027279040404050102736f04020a01027768040202000432627265040405050103646f6504020301036e6565040406050103727965040404050103736f7504020a010377686104020204060b090906090e090907080807070a08090908');
REPLACE INTO "trace_fts_idx" ("segid", "term", "pgno") VALUES (1, X'', 2);
REPLACE INTO "trace_fts_idx" ("segid", "term", "pgno") VALUES (2, X'', 2);
REPLACE INTO "trace_fts_idx" ("segid", "term", "pgno") VALUES (3, X'', 2);
REPLACE INTO "trace_fts_idx" ("segid", "term", "pgno") VALUES (4, X'', 2);
REPLACE INTO "trace_fts_docsize" ("id", "sz") VALUES (1, X'0a');
REPLACE INTO "trace_fts_docsize" ("id", "sz") VALUES (2, X'23');
REPLACE INTO "trace_fts_docsize" ("id", "sz") VALUES (3, X'10');
REPLACE INTO "trace_fts_docsize" ("id", "sz") VALUES (4, X'0a');
REPLACE INTO "trace_fts_config" ("k", "v") VALUES ('version', 4);
PRAGMA user_version = 5;
