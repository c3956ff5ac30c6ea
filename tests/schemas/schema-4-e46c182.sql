-- Schema 4, made by commit e46c182 (2026-11-23 Roll-outs of pipelines: canary and blind comparison, results, promotion; command lines).
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
CREATE INDEX document_source ON document (collection_id, source, sha256, chunking);
CREATE INDEX document_content ON document (collection_id, sha256);
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
CREATE INDEX ix_proof_collection_id ON proof (collection_id);
CREATE INDEX ix_proof_version_id ON proof (version_id);
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
	PRIMARY KEY (id)
);
CREATE INDEX ix_trace_collection_id ON trace (collection_id);
CREATE INDEX ix_trace_prompt_version_id ON trace (prompt_version_id);
CREATE INDEX ix_trace_session_id ON trace (session_id);
CREATE INDEX ix_trace_created_ms ON trace (created_ms);
CREATE INDEX ix_trace_model ON trace (model);
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
CREATE TABLE feedback (
	trace_id VARCHAR NOT NULL, 
	author VARCHAR NOT NULL, 
	created_ms INTEGER NOT NULL, 
	is_up BOOLEAN NOT NULL, 
	reason VARCHAR NOT NULL, 
	note VARCHAR NOT NULL, 
	correction VARCHAR NOT NULL, 
	tags VARCHAR NOT NULL, 
	set_name VARCHAR NOT NULL, 
	case_key VARCHAR NOT NULL, 
	PRIMARY KEY (trace_id, author)
);
CREATE TABLE reviewqueue (
	id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	created_ms INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
CREATE TABLE reviewitem (
	id INTEGER NOT NULL, 
	queue_id INTEGER NOT NULL, 
	trace_id VARCHAR NOT NULL, 
	why VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (queue_id, trace_id)
);
CREATE INDEX ix_reviewitem_trace_id ON reviewitem (trace_id);
CREATE TABLE review (
	item_id INTEGER NOT NULL, 
	reviewer VARCHAR NOT NULL, 
	created_ms INTEGER NOT NULL, 
	verdict VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	correction VARCHAR NOT NULL, 
	relevant VARCHAR NOT NULL, 
	set_name VARCHAR NOT NULL, 
	case_key VARCHAR NOT NULL, 
	PRIMARY KEY (item_id, reviewer)
);
CREATE TABLE draft (
	id INTEGER NOT NULL, 
	set_id INTEGER NOT NULL, 
	collection_id INTEGER NOT NULL, 
	version_id INTEGER NOT NULL, 
	document_id INTEGER NOT NULL, 
	document VARCHAR NOT NULL, 
	place VARCHAR NOT NULL, 
	chunk_id INTEGER NOT NULL, 
	start INTEGER NOT NULL, 
	"end" INTEGER NOT NULL, 
	passage VARCHAR NOT NULL, 
	question VARCHAR NOT NULL, 
	answer VARCHAR NOT NULL, 
	marks VARCHAR NOT NULL, 
	model VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	created_ms INTEGER NOT NULL, 
	decided_ms INTEGER, 
	decided_by VARCHAR NOT NULL, 
	case_key VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX ix_draft_collection_id ON draft (collection_id);
CREATE INDEX ix_draft_set_id ON draft (set_id);
CREATE INDEX ix_draft_document_id ON draft (document_id);
CREATE TABLE rollout (
	id INTEGER NOT NULL, 
	collection_id INTEGER, 
	collection VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	share FLOAT NOT NULL, 
	production VARCHAR NOT NULL, 
	production_config VARCHAR NOT NULL, 
	staging VARCHAR NOT NULL, 
	staging_config VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	created_ms INTEGER NOT NULL, 
	ended_ms INTEGER, 
	note VARCHAR NOT NULL, 
	outcome VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE rolloutask (
	trace_id VARCHAR NOT NULL, 
	rollout_id INTEGER NOT NULL, 
	arm VARCHAR NOT NULL, 
	pair VARCHAR NOT NULL, 
	position INTEGER NOT NULL, 
	picked VARCHAR NOT NULL, 
	PRIMARY KEY (trace_id)
);
CREATE INDEX ix_rolloutask_rollout_id ON rolloutask (rollout_id);
CREATE TABLE productionpipeline (
	collection_id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	config VARCHAR NOT NULL, 
	moved_ms INTEGER NOT NULL, 
	rollout_id INTEGER NOT NULL, 
	PRIMARY KEY (collection_id)
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
CREATE INDEX trace_status ON trace (status, created_ms DESC);
INSERT INTO "collection" ("id", "key", "name", "created_ms", "embedder", "embedder_name", "chunking", "active_version_id", "index_version_id", "index_key", "index_server", "last_number", "pending") VALUES (1, 'c-0028a6d2e316f222', 'Kitchen', 1795760562308, 'fake-embedder', 'fake', '{"max_tokens":200,"overlap_tokens":24}', 2, 2, 'c-0028a6d2e316f222', '', 2, '');
INSERT INTO "document" ("id", "collection_id", "source", "name", "title", "media_type", "sha256", "size_bytes", "text", "places", "chunking", "chunk_count", "token_count", "created_ms", "complete") VALUES (1, 1, '/documents/bread.md', 'bread.md', 'Bread', 'text/markdown', '9bfe24e612d461e8d750d17a2802d2fb1cf0c0e2a7a42fa959f59ca1ff8a662d', 57, '# Bread

Rye bread needs sourdough and 12 hours of rest.
', '[["section", null, "Bread", 0, 56]]', '8e7e2c5b8f9e00dc', 1, 14, 1795760562512, 1);
INSERT INTO "document" ("id", "collection_id", "source", "name", "title", "media_type", "sha256", "size_bytes", "text", "places", "chunking", "chunk_count", "token_count", "created_ms", "complete") VALUES (2, 1, '/documents/tides.txt', 'tides.txt', 'tides', 'text/plain', 'de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386', 57, 'The tide at Bremen rises 3.5 metres. Boats leave at noon.', '[]', '8e7e2c5b8f9e00dc', 1, 15, 1795760562532, 1);
INSERT INTO "document" ("id", "collection_id", "source", "name", "title", "media_type", "sha256", "size_bytes", "text", "places", "chunking", "chunk_count", "token_count", "created_ms", "complete") VALUES (3, 1, '/documents/bread.md', 'bread.md', 'Bread', 'text/markdown', 'c7ddf57f8ef3360d0a9d2df3a52616086e815811b98191f724b9c0145d452793', 57, '# Bread

Rye bread needs sourdough and 24 hours of rest.
', '[["section", null, "Bread", 0, 56]]', '8e7e2c5b8f9e00dc', 1, 14, 1795760564620, 1);
INSERT INTO "chunk" ("id", "document_id", "position", "start", "end", "text", "text_hash", "token_count", "place", "place_kind", "place_number") VALUES (1, 1, 0, 0, 56, '# Bread

Rye bread needs sourdough and 12 hours of rest.', 'f038c0c0fbf345c120feef0c8ab2135a084f6558903e7b502f6cd6eeb8484835', 14, 'Bread', 'section', NULL);
INSERT INTO "chunk" ("id", "document_id", "position", "start", "end", "text", "text_hash", "token_count", "place", "place_kind", "place_number") VALUES (2, 2, 0, 0, 57, 'The tide at Bremen rises 3.5 metres. Boats leave at noon.', 'de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386', 15, '', '', NULL);
INSERT INTO "chunk" ("id", "document_id", "position", "start", "end", "text", "text_hash", "token_count", "place", "place_kind", "place_number") VALUES (3, 3, 0, 0, 56, '# Bread

Rye bread needs sourdough and 24 hours of rest.', '0157552fcfc8f3b03824071d11bb4d1178dc0a73c562424c63f876c44b5efb23', 14, 'Bread', 'section', NULL);
INSERT INTO "embedding" ("text_hash", "embedder", "vector") VALUES ('de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386', 'fake-embedder', floats('2:77d6883e 56:77d6883e 132:77d6883e 213:77d6883e 315:77d6883e 331:77d6883e 417:77d6083f 462:77d6883e 755:77d6883e 855:77d6883e 985:77d6883e'));
INSERT INTO "embedding" ("text_hash", "embedder", "vector") VALUES ('f038c0c0fbf345c120feef0c8ab2135a084f6558903e7b502f6cd6eeb8484835', 'fake-embedder', floats('125:3acd933e 230:3acd133f 559:3acd933e 571:3acd933e 627:3acd933e 632:3acd933e 740:3acd933e 764:3acd933e 784:3acd933e'));
INSERT INTO "embedding" ("text_hash", "embedder", "vector") VALUES ('0157552fcfc8f3b03824071d11bb4d1178dc0a73c562424c63f876c44b5efb23', 'fake-embedder', floats('125:3acd933e 230:3acd133f 351:3acd933e 559:3acd933e 571:3acd933e 627:3acd933e 632:3acd933e 740:3acd933e 764:3acd933e'));
INSERT INTO "datasetversion" ("id", "collection_id", "number", "created_ms", "message", "embedder", "embedder_name", "chunking", "fingerprint", "document_count", "chunk_count", "token_count", "added_count", "replaced_count", "removed_count", "kind", "parent_id", "chunks_added", "chunks_removed", "tokens_added", "tokens_removed", "excluded_count", "text_count", "index_fingerprint", "trial_key") VALUES (1, 1, 1, 1795760564336, 'Added 2', 'fake-embedder', 'fake', '{"max_tokens":200,"overlap_tokens":24}', '12a53baa7506dec1c8624fb9e974c2f2f62ce237a9bc6e98fe73dc834588ce0c', 2, 2, 29, 2, 0, 0, 'ingest', NULL, 2, 0, 29, 0, 0, 2, '1a1bf38487d6950465893eafd618ec01fba67e32014a8b754efa6747d7545fea', '');
INSERT INTO "datasetversion" ("id", "collection_id", "number", "created_ms", "message", "embedder", "embedder_name", "chunking", "fingerprint", "document_count", "chunk_count", "token_count", "added_count", "replaced_count", "removed_count", "kind", "parent_id", "chunks_added", "chunks_removed", "tokens_added", "tokens_removed", "excluded_count", "text_count", "index_fingerprint", "trial_key") VALUES (2, 1, 2, 1795760564693, 'Replaced 1', 'fake-embedder', 'fake', '{"max_tokens":200,"overlap_tokens":24}', '7b320e5c67b6b25ecb33819a0173b9886327309cc492b80b83c4ebd02d0c6183', 2, 2, 29, 0, 1, 0, 'ingest', 1, 1, 1, 14, 14, 0, 2, '244da632639e00b9430ab70a00c048144a7f647be47ae323f7c8c34b24ff21ee', '');
INSERT INTO "versiondocument" ("version_id", "document_id", "attributes") VALUES (1, 1, '');
INSERT INTO "versiondocument" ("version_id", "document_id", "attributes") VALUES (1, 2, '');
INSERT INTO "versiondocument" ("version_id", "document_id", "attributes") VALUES (2, 2, '');
INSERT INTO "versiondocument" ("version_id", "document_id", "attributes") VALUES (2, 3, '');
INSERT INTO "versionexclusion" ("version_id", "chunk_id", "reason") VALUES (1, 1, 'versionexclusion reason');
INSERT INTO "versiontag" ("id", "collection_id", "version_id", "name", "created_ms") VALUES (1, 1, 1, 'versiontag name', 1700000000000);
INSERT INTO "probe" ("id", "collection_id", "embedder", "text", "vector", "by_person", "created_ms") VALUES (1, 1, 'fake-embedder', 'tide bremen rises 3', floats('2:77d6883e 56:77d6883e 132:77d6883e 213:77d6883e 315:77d6883e 331:77d6883e 417:77d6083f 462:77d6883e 755:77d6883e 855:77d6883e 985:77d6883e'), 0, 1795760564354);
INSERT INTO "probe" ("id", "collection_id", "embedder", "text", "vector", "by_person", "created_ms") VALUES (2, 1, 'fake-embedder', 'bread rye needs sourdough', floats('125:3acd933e 230:3acd133f 559:3acd933e 571:3acd933e 627:3acd933e 632:3acd933e 740:3acd933e 764:3acd933e 784:3acd933e'), 0, 1795760564354);
INSERT INTO "proberesult" ("version_id", "probe_id", "hits") VALUES (1, 1, '{"dense": ["de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386", "f038c0c0fbf345c120feef0c8ab2135a084f6558903e7b502f6cd6eeb8484835"], "words": ["de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386"]}');
INSERT INTO "proberesult" ("version_id", "probe_id", "hits") VALUES (1, 2, '{"dense": ["f038c0c0fbf345c120feef0c8ab2135a084f6558903e7b502f6cd6eeb8484835", "de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386"], "words": ["f038c0c0fbf345c120feef0c8ab2135a084f6558903e7b502f6cd6eeb8484835"]}');
INSERT INTO "proberesult" ("version_id", "probe_id", "hits") VALUES (2, 1, '{"dense": ["de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386", "0157552fcfc8f3b03824071d11bb4d1178dc0a73c562424c63f876c44b5efb23"], "words": ["de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386"]}');
INSERT INTO "proberesult" ("version_id", "probe_id", "hits") VALUES (2, 2, '{"dense": ["0157552fcfc8f3b03824071d11bb4d1178dc0a73c562424c63f876c44b5efb23", "de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386"], "words": ["0157552fcfc8f3b03824071d11bb4d1178dc0a73c562424c63f876c44b5efb23"]}');
INSERT INTO "proof" ("id", "collection_id", "version_id", "created_ms", "ok", "fingerprint_same", "vectors_checked", "vectors_same", "probe_count", "probes_same", "embedded_count", "milliseconds", "detail") VALUES (1, 1, 1, 1795760564366, 1, 1, 2, 2, 2, 2, 0, 19.771043999980975, '');
INSERT INTO "proof" ("id", "collection_id", "version_id", "created_ms", "ok", "fingerprint_same", "vectors_checked", "vectors_same", "probe_count", "probes_same", "embedded_count", "milliseconds", "detail") VALUES (2, 1, 2, 1795760564747, 1, 1, 2, 2, 2, 2, 0, 15.657272999987981, '');
INSERT INTO "proof" ("id", "collection_id", "version_id", "created_ms", "ok", "fingerprint_same", "vectors_checked", "vectors_same", "probe_count", "probes_same", "embedded_count", "milliseconds", "detail") VALUES (3, 1, 1, 1795760565432, 1, 1, 2, 2, 2, 2, 0, 35.90457299992522, '');
INSERT INTO "proof" ("id", "collection_id", "version_id", "created_ms", "ok", "fingerprint_same", "vectors_checked", "vectors_same", "probe_count", "probes_same", "embedded_count", "milliseconds", "detail") VALUES (4, 1, 2, 1795760565600, 1, 1, 2, 2, 2, 2, 0, 24.977317999969273, '');
INSERT INTO "embedderfolder" ("fingerprint", "name", "path", "added_ms") VALUES ('embedderfolder fingerprint', 'embedderfolder name', 'embedderfolder path', 1700000000000);
INSERT INTO "watchedfolder" ("id", "collection_id", "path", "enabled", "quiet_s", "created_ms", "last_check_ms", "last_change_ms", "seen_signature", "seen_since_ms", "done_signature", "outcome") VALUES (1, 1, 'watchedfolder path', 1, 1, 1700000000000, 1700000000000, 1700000000000, 'watchedfolder seen_signature', 1700000000000, 'watchedfolder done_signature', 'watchedfolder outcome');
INSERT INTO "model" ("id", "path", "sha256", "size_bytes", "modified_ms", "added_ms") VALUES (1, 'model path', 'model sha256', 1, 1700000000000, 1700000000000);
INSERT INTO "trace" ("id", "session_id", "created_ms", "status", "source", "error", "question", "answer", "collection_id", "collection", "version_id", "version_number", "version_fingerprint", "model", "model_sha256", "prompt_name", "prompt_fingerprint", "prompt_version_id", "prompt_version", "prompt", "settings", "fallbacks", "finish_reason", "prompt_tokens", "cached_tokens", "completion_tokens", "first_token_ms", "tokens_per_s", "retrieve_ms", "read_ms", "generate_ms", "check_ms", "total_ms", "candidate_count", "passage_count", "passage_documents", "searched_chunks", "searched_documents", "claim_count", "flag_count", "worst_verdict", "min_logprob", "mean_logprob", "outcome", "support_rate", "contradicted_count", "check_error") VALUES ('448e859bef55c3bba5dc3d6c06cdbd39', '3674b3f226ca63d9e1c0acfb89683b73', 1795760564751, 'done', 'person', '', 'What does rye bread need?', 'Rye bread needs sourdough [1].', 1, 'Kitchen', 2, 2, '7b320e5c67b6b25ecb33819a0173b9886327309cc492b80b83c4ebd02d0c6183', 'scripted', '0000000000000000000000000000000000000000000000000000000000000000', 'default', '090436f2b514027a', 1, 1, 'system: You answer questions from numbered passages. Answer in one short sentence and end it with the number of the passage, like [1].
user: [1] # Bread

Rye bread needs sourdough and 24 hours of rest.

Question: What does rye bread need?', '{"chunking":{"max_tokens":200,"overlap_tokens":24},"retrieval":{"candidates":40,"rrf_k":60,"max_passages":6,"context_tokens":1400,"min_similarity":0.3},"generation":{"context":4096,"max_answer_tokens":256,"temperature":0.0,"top_p":0.95,"seed":42,"repeat_penalty":1.0,"gpu_layers":0,"threads":0,"ask_without_passages":false},"models":{"active":"","folders":[]},"appearance":{"theme":"system"}}', '[]', 'stop', 42, 0, 5, 39.77506800003994, 44396.59478240569, 12.307420999945862, 0.13981899996906577, 0.0900969999975132, 4.6601050000845134, 44.72089800003687, 2, 1, 1, 2, 2, 1, 0, 'supported', -0.5, -0.5, 'answered', 1.0, 0, '');
INSERT INTO "trace" ("id", "session_id", "created_ms", "status", "source", "error", "question", "answer", "collection_id", "collection", "version_id", "version_number", "version_fingerprint", "model", "model_sha256", "prompt_name", "prompt_fingerprint", "prompt_version_id", "prompt_version", "prompt", "settings", "fallbacks", "finish_reason", "prompt_tokens", "cached_tokens", "completion_tokens", "first_token_ms", "tokens_per_s", "retrieve_ms", "read_ms", "generate_ms", "check_ms", "total_ms", "candidate_count", "passage_count", "passage_documents", "searched_chunks", "searched_documents", "claim_count", "flag_count", "worst_verdict", "min_logprob", "mean_logprob", "outcome", "support_rate", "contradicted_count", "check_error") VALUES ('ff3f3aab810c65c159119c59bdb5b3e8', 'd09e345b4876504c3c553134b34744e9', 1795760564896, 'done', 'person', '', 'When do the boats leave?', 'The boat leaves at noon. The boat leaves at noon. The boat leaves at noon. The boat leaves at noon. The boat leaves at noon. The boat leaves at noon. ', 1, 'Kitchen', 2, 2, '7b320e5c67b6b25ecb33819a0173b9886327309cc492b80b83c4ebd02d0c6183', 'scripted', '0000000000000000000000000000000000000000000000000000000000000000', 'default', '090436f2b514027a', 1, 1, 'system: You answer questions from numbered passages. Answer in one short sentence and end it with the number of the passage, like [1].
user: [1] The tide at Bremen rises 3.5 metres. Boats leave at noon.

Question: When do the boats leave?', '{"chunking":{"max_tokens":200,"overlap_tokens":24},"retrieval":{"candidates":40,"rrf_k":60,"max_passages":6,"context_tokens":1400,"min_similarity":0.3},"generation":{"context":4096,"max_answer_tokens":256,"temperature":0.0,"top_p":0.95,"seed":42,"repeat_penalty":1.0,"gpu_layers":0,"threads":0,"ask_without_passages":false},"models":{"active":"","folders":[]},"appearance":{"theme":"system"}}', '[]', 'stop', 42, 0, 30, 190.56443599993145, 41790.0554030304, 128.34531399994376, 0.06708099999741535, 0.6939450000800207, 19.293981000032545, 211.04975799994463, 2, 1, 1, 2, 2, 6, 0, 'supported', -0.5, -0.5, 'answered', 1.0, 0, '');
INSERT INTO "trace" ("id", "session_id", "created_ms", "status", "source", "error", "question", "answer", "collection_id", "collection", "version_id", "version_number", "version_fingerprint", "model", "model_sha256", "prompt_name", "prompt_fingerprint", "prompt_version_id", "prompt_version", "prompt", "settings", "fallbacks", "finish_reason", "prompt_tokens", "cached_tokens", "completion_tokens", "first_token_ms", "tokens_per_s", "retrieve_ms", "read_ms", "generate_ms", "check_ms", "total_ms", "candidate_count", "passage_count", "passage_documents", "searched_chunks", "searched_documents", "claim_count", "flag_count", "worst_verdict", "min_logprob", "mean_logprob", "outcome", "support_rate", "contradicted_count", "check_error") VALUES ('a0a2e0f11afc937bf0699a7701d5c13a', '8d382ee374aa46509ab29740acb9e6f4', 1795760565184, 'nothing found', 'person', '', 'Zzz?', 'Nothing in this collection is close to the question, so the model was not asked.', 1, 'Kitchen', 2, 2, '7b320e5c67b6b25ecb33819a0173b9886327309cc492b80b83c4ebd02d0c6183', '', '', 'default', '090436f2b514027a', 1, 1, '', '{"chunking":{"max_tokens":200,"overlap_tokens":24},"retrieval":{"candidates":40,"rrf_k":60,"max_passages":6,"context_tokens":1400,"min_similarity":0.3},"generation":{"context":4096,"max_answer_tokens":256,"temperature":0.0,"top_p":0.95,"seed":42,"repeat_penalty":1.0,"gpu_layers":0,"threads":0,"ask_without_passages":false},"models":{"active":"","folders":[]},"appearance":{"theme":"system"}}', '[]', '', 0, 0, 0, NULL, NULL, 74.7179940000251, NULL, NULL, NULL, 105.03240100001676, 2, 0, 0, 2, 2, 0, 0, '', NULL, NULL, '', NULL, 0, '');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (1, '448e859bef55c3bba5dc3d6c06cdbd39', 'embed', 'EMBEDDING', 22.09268800004338, 22.30656500000805, 'fake');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (2, '448e859bef55c3bba5dc3d6c06cdbd39', 'dense', 'RETRIEVER', 22.319737999964673, 32.00484600006348, '');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (3, '448e859bef55c3bba5dc3d6c06cdbd39', 'lexical', 'RETRIEVER', 32.02284300004976, 33.6314209999955, 'BM25');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (4, '448e859bef55c3bba5dc3d6c06cdbd39', 'fuse', 'CHAIN', 33.65242400002444, 34.318631000019195, 'RRF k=60');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (5, '448e859bef55c3bba5dc3d6c06cdbd39', 'load', 'CHAIN', 35.19962600000781, 35.21068500003821, 'SmolLM2-135M-Instruct.Q4_1.gguf');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (6, '448e859bef55c3bba5dc3d6c06cdbd39', 'pack', 'PROMPT', 35.27143899998464, 39.600555999982134, 'prompt default version 1');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (7, '448e859bef55c3bba5dc3d6c06cdbd39', 'read prompt', 'LLM', 39.63524900007087, 39.77506800003994, '0 tokens cached');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (8, '448e859bef55c3bba5dc3d6c06cdbd39', 'generate', 'LLM', 39.77506800003994, 39.86516500003745, '5 tokens');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (9, '448e859bef55c3bba5dc3d6c06cdbd39', 'check', 'EVALUATOR', 39.910461999966174, 44.55163199997969, 'grounding detector');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (10, 'ff3f3aab810c65c159119c59bdb5b3e8', 'embed', 'EMBEDDING', 37.437952999994195, 37.63590599999134, 'fake');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (11, 'ff3f3aab810c65c159119c59bdb5b3e8', 'dense', 'RETRIEVER', 37.645904999976665, 142.48649099999966, '');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (12, 'ff3f3aab810c65c159119c59bdb5b3e8', 'lexical', 'RETRIEVER', 142.50508800000716, 150.97025299996858, 'BM25');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (13, 'ff3f3aab810c65c159119c59bdb5b3e8', 'fuse', 'CHAIN', 151.11261300000933, 165.56936799997857, 'RRF k=60');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (14, 'ff3f3aab810c65c159119c59bdb5b3e8', 'load', 'CHAIN', 167.84891399993285, 167.88722799992684, 'SmolLM2-135M-Instruct.Q4_1.gguf');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (15, 'ff3f3aab810c65c159119c59bdb5b3e8', 'pack', 'PROMPT', 168.05060100000446, 190.44316899999103, 'prompt default version 1');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (16, 'ff3f3aab810c65c159119c59bdb5b3e8', 'read prompt', 'LLM', 190.49735499993403, 190.56443599993145, '0 tokens cached');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (17, 'ff3f3aab810c65c159119c59bdb5b3e8', 'generate', 'LLM', 190.56443599993145, 191.25838100001147, '30 tokens');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (18, 'ff3f3aab810c65c159119c59bdb5b3e8', 'check', 'EVALUATOR', 191.34369199991852, 210.6002409999519, 'grounding detector');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (19, 'a0a2e0f11afc937bf0699a7701d5c13a', 'embed', 'EMBEDDING', 30.198128000165525, 30.359317000147712, 'fake');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (20, 'a0a2e0f11afc937bf0699a7701d5c13a', 'dense', 'RETRIEVER', 30.367914000066776, 97.42470700007289, '');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (21, 'a0a2e0f11afc937bf0699a7701d5c13a', 'lexical', 'RETRIEVER', 97.4427780000724, 99.93391400007567, 'BM25');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (22, 'a0a2e0f11afc937bf0699a7701d5c13a', 'fuse', 'CHAIN', 99.95277900009114, 104.84887400014031, 'RRF k=60');
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (1, '448e859bef55c3bba5dc3d6c06cdbd39', 3, 3, 'bread.md', '/documents/bread.md', 'Bread', 'section', NULL, 0, 56, '# Bread

Rye bread needs sourdough and 24 hours of rest.', 14, 1, 0.387298, 1, 1.665476, 1, 0.03278688524590164, 1, NULL);
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (2, '448e859bef55c3bba5dc3d6c06cdbd39', 2, 2, 'tides.txt', '/documents/tides.txt', '', '', NULL, 0, 57, 'The tide at Bremen rises 3.5 metres. Boats leave at noon.', 15, 2, 0.0, NULL, NULL, 2, 0.016129032258064516, NULL, 'similarity 0.00 below 0.30');
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (3, 'ff3f3aab810c65c159119c59bdb5b3e8', 2, 2, 'tides.txt', '/documents/tides.txt', '', '', NULL, 0, 57, 'The tide at Bremen rises 3.5 metres. Boats leave at noon.', 15, 1, 0.358569, 1, 1.367011, 1, 0.03278688524590164, 1, NULL);
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (4, 'ff3f3aab810c65c159119c59bdb5b3e8', 3, 3, 'bread.md', '/documents/bread.md', 'Bread', 'section', NULL, 0, 56, '# Bread

Rye bread needs sourdough and 24 hours of rest.', 14, 2, 0.0, NULL, NULL, 2, 0.016129032258064516, NULL, 'similarity 0.00 below 0.30');
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (5, 'a0a2e0f11afc937bf0699a7701d5c13a', 2, 2, 'tides.txt', '/documents/tides.txt', '', '', NULL, 0, 57, 'The tide at Bremen rises 3.5 metres. Boats leave at noon.', 15, 1, 0.0, NULL, NULL, 1, 0.01639344262295082, NULL, 'similarity 0.00 below 0.30');
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (6, 'a0a2e0f11afc937bf0699a7701d5c13a', 3, 3, 'bread.md', '/documents/bread.md', 'Bread', 'section', NULL, 0, 56, '# Bread

Rye bread needs sourdough and 24 hours of rest.', 14, 2, 0.0, NULL, NULL, 2, 0.016129032258064516, NULL, 'similarity 0.00 below 0.30');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text", "raw_score", "doubtful") VALUES (1, '448e859bef55c3bba5dc3d6c06cdbd39', 'Rye bread needs sourdough [1].', 0, 30, 'supported', 0.0029828157546495926, '', 1, 9, 56, 'Rye bread needs sourdough and 24 hours of rest.', 0.0029828157546495926, '');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text", "raw_score", "doubtful") VALUES (2, 'ff3f3aab810c65c159119c59bdb5b3e8', 'The boat leaves at noon.', 0, 24, 'supported', 0.00579685727085761, '', 1, 37, 57, 'Boats leave at noon.', 0.00579685727085761, '');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text", "raw_score", "doubtful") VALUES (3, 'ff3f3aab810c65c159119c59bdb5b3e8', 'The boat leaves at noon.', 25, 49, 'supported', 0.00579685727085761, '', 1, 37, 57, 'Boats leave at noon.', 0.00579685727085761, '');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text", "raw_score", "doubtful") VALUES (4, 'ff3f3aab810c65c159119c59bdb5b3e8', 'The boat leaves at noon.', 50, 74, 'supported', 0.00579685727085761, '', 1, 37, 57, 'Boats leave at noon.', 0.00579685727085761, '');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text", "raw_score", "doubtful") VALUES (5, 'ff3f3aab810c65c159119c59bdb5b3e8', 'The boat leaves at noon.', 75, 99, 'supported', 0.00579685727085761, '', 1, 37, 57, 'Boats leave at noon.', 0.00579685727085761, '');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text", "raw_score", "doubtful") VALUES (6, 'ff3f3aab810c65c159119c59bdb5b3e8', 'The boat leaves at noon.', 100, 124, 'supported', 0.00579685727085761, '', 1, 37, 57, 'Boats leave at noon.', 0.00579685727085761, '');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text", "raw_score", "doubtful") VALUES (7, 'ff3f3aab810c65c159119c59bdb5b3e8', 'The boat leaves at noon.', 125, 149, 'supported', 0.00579685727085761, '', 1, 37, 57, 'Boats leave at noon.', 0.00579685727085761, '');
INSERT INTO "flagopinion" ("trace_id", "start", "collection_id", "verdict", "score", "is_right", "note", "created_ms") VALUES ('448e859bef55c3bba5dc3d6c06cdbd39', 1, 1, 'flagopinion verdict', 0.5, 1, 'flagopinion note', 1700000000000);
INSERT INTO "flaglimits" ("collection_id", "check_from", "unsupported_from", "slope", "intercept", "fitted_on", "second_detector", "second_slope", "second_intercept", "updated_ms") VALUES (1, 0.5, 0.5, 0.5, 0.5, 1, '', 0.5, 0.5, 1700000000000);
INSERT INTO "consistencycheck" ("id", "trace_id", "created_ms", "temperature", "samples", "clusters", "agreement", "semantic_entropy") VALUES (1, '448e859bef55c3bba5dc3d6c06cdbd39', 1700000000000, 0.5, 'consistencycheck samples', 1, 0.5, 0.5);
INSERT INTO "prompt" ("id", "name", "description", "created_ms", "last_number") VALUES (1, 'default', 'What answers questions: the version that has the label production.', 1795760562259, 1);
INSERT INTO "prompt" ("id", "name", "description", "created_ms", "last_number") VALUES (2, 'short', '', 1795760565608, 1);
INSERT INTO "promptversion" ("id", "prompt_id", "number", "created_ms", "message", "author", "system", "user", "variables", "fingerprint", "notes") VALUES (1, 1, 1, 1795760562282, 'Built in', 'Ragdeck', 'You answer questions from numbered passages. Answer in one short sentence and end it with the number of the passage, like [1].', '{% for passage in passages -%}
[{{ passage.marker }}] {{ passage.text }}

{% endfor -%}
Question: {{ question }}', '["passages", "question"]', '090436f2b514027a', '');
INSERT INTO "promptversion" ("id", "prompt_id", "number", "created_ms", "message", "author", "system", "user", "variables", "fingerprint", "notes") VALUES (2, 2, 1, 1795760565616, 'first', 'root', 'Be brief.', '{{ question }} {{ passages }}', '["passages", "question"]', '28817ba44c43d514', '');
INSERT INTO "promptlabel" ("prompt_id", "name", "version_id", "moved_ms") VALUES (1, 'production', 1, 1795760562293);
INSERT INTO "promptlabelmove" ("id", "prompt_id", "label", "from_number", "to_number", "moved_ms", "author", "note") VALUES (1, 1, 'production', NULL, 1, 1795760562293, 'Ragdeck', 'Built in');
INSERT INTO "evaluationset" ("id", "name", "description", "created_ms", "last_number") VALUES (1, 'gold', '', 1795760565683, 1);
INSERT INTO "evaluationsetversion" ("id", "set_id", "number", "created_ms", "message", "fingerprint", "case_count") VALUES (1, 1, 1, 1795760565706, 'Added “What does rye bread need?”', 'ead13f3f4f5cffe0785fe9f14ad4d7d4e0471609aa1142f03bf513780384e913', 1);
INSERT INTO "evaluationcase" ("id", "set_id", "key", "fingerprint", "question", "content", "created_ms") VALUES (1, 1, 'ccd453cc2188', '5c73afe035d95d630a0fba35a3869584364a518b42ab70f681162760d4b1dd85', 'What does rye bread need?', '{"key":"ccd453cc2188","question":"What does rye bread need?","references":["Sourdough"],"judgements":[],"should_refuse":false,"tags":[],"weight":1.0,"checks":[],"origin":"hand","cluster":""}', 1795760565699);
INSERT INTO "evaluationsetcase" ("version_id", "case_id", "position") VALUES (1, 1, 0);
INSERT INTO "pipeline" ("id", "name", "created_ms", "last_number") VALUES (1, 'P', 1795760565913, 1);
INSERT INTO "pipelineversion" ("id", "pipeline_id", "number", "created_ms", "message", "fingerprint", "content") VALUES (1, 1, 1, 1795760565916, 'No message', '689e52116703013b4fbdb8de9c9b35cdf16daf76d4f9f3f040eb02f333741949', '{"collection":"Kitchen","version":"active","prompt":"default","model":"","retrieval":{"candidates":40,"rrf_k":60,"max_passages":6,"context_tokens":1400,"min_similarity":0.3},"generation":{"context":4096,"max_answer_tokens":256,"temperature":0.0,"top_p":0.95,"seed":42,"repeat_penalty":1.0,"gpu_layers":0,"threads":0,"ask_without_passages":false},"checks":[],"kind":"answer"}');
INSERT INTO "feedback" ("trace_id", "author", "created_ms", "is_up", "reason", "note", "correction", "tags", "set_name", "case_key") VALUES ('448e859bef55c3bba5dc3d6c06cdbd39', 'root', 1795760565972, 1, '', '', '', '[]', '', '');
INSERT INTO "reviewqueue" ("id", "name", "created_ms") VALUES (1, 'reviewqueue name', 1700000000000);
INSERT INTO "reviewitem" ("id", "queue_id", "trace_id", "why") VALUES (1, 1, '448e859bef55c3bba5dc3d6c06cdbd39', 'reviewitem why');
INSERT INTO "review" ("item_id", "reviewer", "created_ms", "verdict", "reason", "correction", "relevant", "set_name", "case_key") VALUES (1, 'review reviewer', 1700000000000, 'review verdict', 'review reason', 'review correction', 'review relevant', 'review set_name', 'review case_key');
INSERT INTO "draft" ("id", "set_id", "collection_id", "version_id", "document_id", "document", "place", "chunk_id", "start", "end", "passage", "question", "answer", "marks", "model", "state", "created_ms", "decided_ms", "decided_by", "case_key") VALUES (1, 1, 1, 1, 1, 'draft document', 'draft place', 1, 1, 1, 'draft passage', 'draft question', 'draft answer', 'draft marks', 'draft model', 'draft state', 1700000000000, 1700000000000, 'draft decided_by', 'draft case_key');
INSERT INTO "rollout" ("id", "collection_id", "collection", "kind", "share", "production", "production_config", "staging", "staging_config", "state", "created_ms", "ended_ms", "note", "outcome") VALUES (1, 1, 'rollout collection', 'rollout kind', 0.5, 'rollout production', 'rollout production_config', 'rollout staging', 'rollout staging_config', 'rollout state', 1700000000000, 1700000000000, 'rollout note', 'rollout outcome');
INSERT INTO "rolloutask" ("trace_id", "rollout_id", "arm", "pair", "position", "picked") VALUES ('448e859bef55c3bba5dc3d6c06cdbd39', 1, 'rolloutask arm', 'rolloutask pair', 1, 'rolloutask picked');
INSERT INTO "productionpipeline" ("collection_id", "name", "config", "moved_ms", "rollout_id") VALUES (1, 'productionpipeline name', 'productionpipeline config', 1700000000000, 1);
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (1, 1795760562283, 'prompt version made', 'default 1', 'Built in');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (2, 1795760562299, 'prompt label moved', 'default@production', 'to version 1');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (3, 1795760562309, 'collection made', 'Kitchen', '');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (4, 1795760564340, 'version made', 'Kitchen', 'version 1: Added 2');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (5, 1795760564367, 'index proved', 'Kitchen', 'version 1: fingerprint as expected, 2 of 2 vectors checked are the same, 2 of 2 probes find the same passages.');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (6, 1795760564694, 'version made', 'Kitchen', 'version 2: Replaced 1');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (7, 1795760564747, 'index proved', 'Kitchen', 'version 2: fingerprint as expected, 2 of 2 vectors checked are the same, 2 of 2 probes find the same passages.');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (8, 1795760565352, 'version activated', 'Kitchen', 'version 1');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (9, 1795760565433, 'index proved', 'Kitchen', 'version 1: fingerprint as expected, 2 of 2 vectors checked are the same, 2 of 2 probes find the same passages.');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (10, 1795760565528, 'version activated', 'Kitchen', 'version 2');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (11, 1795760565605, 'index proved', 'Kitchen', 'version 2: fingerprint as expected, 2 of 2 vectors checked are the same, 2 of 2 probes find the same passages.');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (12, 1795760565616, 'prompt version made', 'short 1', 'first');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (13, 1795760565683, 'evaluation set made', 'gold', '');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (14, 1795760565916, 'pipeline version made', 'P 1', 'No message');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (15, 1795760565977, 'feedback', '448e859b', 'up by root');
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
REPLACE INTO "trace_fts_data" ("id", "block") VALUES (1, X'033d');
REPLACE INTO "trace_fts_data" ("id", "block") VALUES (10, X'000000000103030003010101020101030101');
REPLACE INTO "trace_fts_data" ("id", "block") VALUES (137438953473, X'000000af02303101020b01056272656164010405050104646f657301020301046e6565640102060501730102090103727965010404050109736f7572646f75676801020a0104776861740102020003316272010405050102646f01020301026e650104060501027279010404050102736f01020a01027768010202000432627265010405050103646f6501020301036e6565010406050103727965010404050103736f7501020a010377686101020204060b090906090e090907080807070a08090908');
REPLACE INTO "trace_fts_data" ("id", "block") VALUES (274877906945, X'000000f303306174020c0a07070707070104626f6174020c0807070707070501730202050102646f02020301056c65617665020206060173020c09070707070701046e6f6f6e020c0b07070707070103746865020e0405070707070701047768656e0202020003316174020c0a07070707070102626f020e050507070707070102646f02020301026c65020e0605070707070701026e6f020c0b070707070701027468020e0405070707070701027768020202000432626f61020e0505070707070701036c6561020e0605070707070701036e6f6f020c0b07070707070103746865020e040507070707070103776865020202040c0e06070a0b0e0e090d0d070d0c0d070f0e0d0e');
REPLACE INTO "trace_fts_data" ("id", "block") VALUES (412316860417, X'00000134063061736b65640302110105636c6f736503020802096f6c6c656374696f6e0302060102696e03020402017303020701056d6f64656c03020e01036e6f74030210040468696e6703020301087175657374696f6e03020b0102736f03020c010374686503040a050302697303020502016f030209010377617303020f01037a7a7a03020200033161730302110102636c03020802016f0302060102696e03020402017303020701026d6f03020e01026e6f0304030f0102717503020b0102736f03020c01027468030605070502016f0302090102776103020f01027a7a03020200043261736b0302110103636c6f03020802026f6c03020601036d6f6403020e01036e6f740304030f010371756503020b010374686503040a05030169030205010377617303020f01037a7a7a030202040a0a0e07060a08090d07090706080808070607060708070709060707090807080908090608');
REPLACE INTO "trace_fts_idx" ("segid", "term", "pgno") VALUES (1, X'', 2);
REPLACE INTO "trace_fts_idx" ("segid", "term", "pgno") VALUES (2, X'', 2);
REPLACE INTO "trace_fts_idx" ("segid", "term", "pgno") VALUES (3, X'', 2);
REPLACE INTO "trace_fts_docsize" ("id", "sz") VALUES (1, X'0a');
REPLACE INTO "trace_fts_docsize" ("id", "sz") VALUES (2, X'23');
REPLACE INTO "trace_fts_docsize" ("id", "sz") VALUES (3, X'10');
REPLACE INTO "trace_fts_config" ("k", "v") VALUES ('version', 4);
PRAGMA user_version = 4;
