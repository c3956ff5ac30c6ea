-- Schema 4, made by commit c8a747d (2026-11-23 Merge main: flags, verdicts, agreement).
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
CREATE INDEX ix_trace_created_ms ON trace (created_ms);
CREATE INDEX ix_trace_model ON trace (model);
CREATE INDEX ix_trace_session_id ON trace (session_id);
CREATE INDEX ix_trace_collection_id ON trace (collection_id);
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
CREATE TABLE canaryquestion (
	id INTEGER NOT NULL, 
	collection_id INTEGER NOT NULL, 
	question VARCHAR NOT NULL, 
	reference_trace_id VARCHAR NOT NULL, 
	created_ms INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (collection_id, question)
);
CREATE TABLE canaryrun (
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
CREATE INDEX ix_canaryrun_collection_id ON canaryrun (collection_id);
CREATE TABLE canaryresult (
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
CREATE INDEX trace_status ON trace (status, created_ms DESC);
INSERT INTO "collection" ("id", "key", "name", "created_ms", "embedder", "embedder_name", "chunking", "active_version_id", "index_version_id", "index_key", "index_server", "last_number", "pending") VALUES (1, 'c-5286c0acf12b537b', 'Kitchen', 1795760536616, 'fake-embedder', 'fake', '{"max_tokens":200,"overlap_tokens":24}', 2, 2, 'c-5286c0acf12b537b', '', 2, '');
INSERT INTO "document" ("id", "collection_id", "source", "name", "title", "media_type", "sha256", "size_bytes", "text", "places", "chunking", "chunk_count", "token_count", "created_ms", "complete") VALUES (1, 1, '/documents/bread.md', 'bread.md', 'Bread', 'text/markdown', '9bfe24e612d461e8d750d17a2802d2fb1cf0c0e2a7a42fa959f59ca1ff8a662d', 57, '# Bread

Rye bread needs sourdough and 12 hours of rest.
', '[["section", null, "Bread", 0, 56]]', '8e7e2c5b8f9e00dc', 1, 14, 1795760536837, 1);
INSERT INTO "document" ("id", "collection_id", "source", "name", "title", "media_type", "sha256", "size_bytes", "text", "places", "chunking", "chunk_count", "token_count", "created_ms", "complete") VALUES (2, 1, '/documents/tides.txt', 'tides.txt', 'tides', 'text/plain', 'de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386', 57, 'The tide at Bremen rises 3.5 metres. Boats leave at noon.', '[]', '8e7e2c5b8f9e00dc', 1, 15, 1795760536849, 1);
INSERT INTO "document" ("id", "collection_id", "source", "name", "title", "media_type", "sha256", "size_bytes", "text", "places", "chunking", "chunk_count", "token_count", "created_ms", "complete") VALUES (3, 1, '/documents/bread.md', 'bread.md', 'Bread', 'text/markdown', 'c7ddf57f8ef3360d0a9d2df3a52616086e815811b98191f724b9c0145d452793', 57, '# Bread

Rye bread needs sourdough and 24 hours of rest.
', '[["section", null, "Bread", 0, 56]]', '8e7e2c5b8f9e00dc', 1, 14, 1795760538810, 1);
INSERT INTO "chunk" ("id", "document_id", "position", "start", "end", "text", "text_hash", "token_count", "place", "place_kind", "place_number") VALUES (1, 1, 0, 0, 56, '# Bread

Rye bread needs sourdough and 12 hours of rest.', 'f038c0c0fbf345c120feef0c8ab2135a084f6558903e7b502f6cd6eeb8484835', 14, 'Bread', 'section', NULL);
INSERT INTO "chunk" ("id", "document_id", "position", "start", "end", "text", "text_hash", "token_count", "place", "place_kind", "place_number") VALUES (2, 2, 0, 0, 57, 'The tide at Bremen rises 3.5 metres. Boats leave at noon.', 'de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386', 15, '', '', NULL);
INSERT INTO "chunk" ("id", "document_id", "position", "start", "end", "text", "text_hash", "token_count", "place", "place_kind", "place_number") VALUES (3, 3, 0, 0, 56, '# Bread

Rye bread needs sourdough and 24 hours of rest.', '0157552fcfc8f3b03824071d11bb4d1178dc0a73c562424c63f876c44b5efb23', 14, 'Bread', 'section', NULL);
INSERT INTO "embedding" ("text_hash", "embedder", "vector") VALUES ('de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386', 'fake-embedder', floats('2:77d6883e 56:77d6883e 132:77d6883e 213:77d6883e 315:77d6883e 331:77d6883e 417:77d6083f 462:77d6883e 755:77d6883e 855:77d6883e 985:77d6883e'));
INSERT INTO "embedding" ("text_hash", "embedder", "vector") VALUES ('f038c0c0fbf345c120feef0c8ab2135a084f6558903e7b502f6cd6eeb8484835', 'fake-embedder', floats('125:3acd933e 230:3acd133f 559:3acd933e 571:3acd933e 627:3acd933e 632:3acd933e 740:3acd933e 764:3acd933e 784:3acd933e'));
INSERT INTO "embedding" ("text_hash", "embedder", "vector") VALUES ('0157552fcfc8f3b03824071d11bb4d1178dc0a73c562424c63f876c44b5efb23', 'fake-embedder', floats('125:3acd933e 230:3acd133f 351:3acd933e 559:3acd933e 571:3acd933e 627:3acd933e 632:3acd933e 740:3acd933e 764:3acd933e'));
INSERT INTO "datasetversion" ("id", "collection_id", "number", "created_ms", "message", "embedder", "embedder_name", "chunking", "fingerprint", "document_count", "chunk_count", "token_count", "added_count", "replaced_count", "removed_count", "kind", "parent_id", "chunks_added", "chunks_removed", "tokens_added", "tokens_removed", "excluded_count", "text_count", "index_fingerprint", "trial_key") VALUES (1, 1, 1, 1795760538672, 'Added 2', 'fake-embedder', 'fake', '{"max_tokens":200,"overlap_tokens":24}', '12a53baa7506dec1c8624fb9e974c2f2f62ce237a9bc6e98fe73dc834588ce0c', 2, 2, 29, 2, 0, 0, 'ingest', NULL, 2, 0, 29, 0, 0, 2, '1a1bf38487d6950465893eafd618ec01fba67e32014a8b754efa6747d7545fea', '');
INSERT INTO "datasetversion" ("id", "collection_id", "number", "created_ms", "message", "embedder", "embedder_name", "chunking", "fingerprint", "document_count", "chunk_count", "token_count", "added_count", "replaced_count", "removed_count", "kind", "parent_id", "chunks_added", "chunks_removed", "tokens_added", "tokens_removed", "excluded_count", "text_count", "index_fingerprint", "trial_key") VALUES (2, 1, 2, 1795760538871, 'Replaced 1', 'fake-embedder', 'fake', '{"max_tokens":200,"overlap_tokens":24}', '7b320e5c67b6b25ecb33819a0173b9886327309cc492b80b83c4ebd02d0c6183', 2, 2, 29, 0, 1, 0, 'ingest', 1, 1, 1, 14, 14, 0, 2, '244da632639e00b9430ab70a00c048144a7f647be47ae323f7c8c34b24ff21ee', '');
INSERT INTO "versiondocument" ("version_id", "document_id", "attributes") VALUES (1, 1, '');
INSERT INTO "versiondocument" ("version_id", "document_id", "attributes") VALUES (1, 2, '');
INSERT INTO "versiondocument" ("version_id", "document_id", "attributes") VALUES (2, 2, '');
INSERT INTO "versiondocument" ("version_id", "document_id", "attributes") VALUES (2, 3, '');
INSERT INTO "versionexclusion" ("version_id", "chunk_id", "reason") VALUES (1, 1, 'versionexclusion reason');
INSERT INTO "versiontag" ("id", "collection_id", "version_id", "name", "created_ms") VALUES (1, 1, 1, 'versiontag name', 1700000000000);
INSERT INTO "probe" ("id", "collection_id", "embedder", "text", "vector", "by_person", "created_ms") VALUES (1, 1, 'fake-embedder', 'tide bremen rises 3', floats('2:77d6883e 56:77d6883e 132:77d6883e 213:77d6883e 315:77d6883e 331:77d6883e 417:77d6083f 462:77d6883e 755:77d6883e 855:77d6883e 985:77d6883e'), 0, 1795760538694);
INSERT INTO "probe" ("id", "collection_id", "embedder", "text", "vector", "by_person", "created_ms") VALUES (2, 1, 'fake-embedder', 'bread rye needs sourdough', floats('125:3acd933e 230:3acd133f 559:3acd933e 571:3acd933e 627:3acd933e 632:3acd933e 740:3acd933e 764:3acd933e 784:3acd933e'), 0, 1795760538694);
INSERT INTO "proberesult" ("version_id", "probe_id", "hits") VALUES (1, 1, '{"dense": ["de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386", "f038c0c0fbf345c120feef0c8ab2135a084f6558903e7b502f6cd6eeb8484835"], "words": ["de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386"]}');
INSERT INTO "proberesult" ("version_id", "probe_id", "hits") VALUES (1, 2, '{"dense": ["f038c0c0fbf345c120feef0c8ab2135a084f6558903e7b502f6cd6eeb8484835", "de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386"], "words": ["f038c0c0fbf345c120feef0c8ab2135a084f6558903e7b502f6cd6eeb8484835"]}');
INSERT INTO "proberesult" ("version_id", "probe_id", "hits") VALUES (2, 1, '{"dense": ["de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386", "0157552fcfc8f3b03824071d11bb4d1178dc0a73c562424c63f876c44b5efb23"], "words": ["de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386"]}');
INSERT INTO "proberesult" ("version_id", "probe_id", "hits") VALUES (2, 2, '{"dense": ["0157552fcfc8f3b03824071d11bb4d1178dc0a73c562424c63f876c44b5efb23", "de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386"], "words": ["0157552fcfc8f3b03824071d11bb4d1178dc0a73c562424c63f876c44b5efb23"]}');
INSERT INTO "proof" ("id", "collection_id", "version_id", "created_ms", "ok", "fingerprint_same", "vectors_checked", "vectors_same", "probe_count", "probes_same", "embedded_count", "milliseconds", "detail") VALUES (1, 1, 1, 1795760538712, 1, 1, 2, 2, 2, 2, 0, 27.362792000076297, '');
INSERT INTO "proof" ("id", "collection_id", "version_id", "created_ms", "ok", "fingerprint_same", "vectors_checked", "vectors_same", "probe_count", "probes_same", "embedded_count", "milliseconds", "detail") VALUES (2, 1, 2, 1795760538935, 1, 1, 2, 2, 2, 2, 0, 19.2505950000168, '');
INSERT INTO "proof" ("id", "collection_id", "version_id", "created_ms", "ok", "fingerprint_same", "vectors_checked", "vectors_same", "probe_count", "probes_same", "embedded_count", "milliseconds", "detail") VALUES (3, 1, 1, 1795760539432, 1, 1, 2, 2, 2, 2, 0, 20.271833000037986, '');
INSERT INTO "proof" ("id", "collection_id", "version_id", "created_ms", "ok", "fingerprint_same", "vectors_checked", "vectors_same", "probe_count", "probes_same", "embedded_count", "milliseconds", "detail") VALUES (4, 1, 2, 1795760539532, 1, 1, 2, 2, 2, 2, 0, 16.062274999967485, '');
INSERT INTO "embedderfolder" ("fingerprint", "name", "path", "added_ms") VALUES ('embedderfolder fingerprint', 'embedderfolder name', 'embedderfolder path', 1700000000000);
INSERT INTO "watchedfolder" ("id", "collection_id", "path", "enabled", "quiet_s", "created_ms", "last_check_ms", "last_change_ms", "seen_signature", "seen_since_ms", "done_signature", "outcome") VALUES (1, 1, 'watchedfolder path', 1, 1, 1700000000000, 1700000000000, 1700000000000, 'watchedfolder seen_signature', 1700000000000, 'watchedfolder done_signature', 'watchedfolder outcome');
INSERT INTO "model" ("id", "path", "sha256", "size_bytes", "modified_ms", "added_ms") VALUES (1, 'model path', 'model sha256', 1, 1700000000000, 1700000000000);
INSERT INTO "trace" ("id", "session_id", "created_ms", "status", "source", "error", "question", "answer", "collection_id", "collection", "version_id", "version_number", "version_fingerprint", "model", "model_sha256", "prompt_name", "prompt_fingerprint", "prompt", "settings", "fallbacks", "finish_reason", "prompt_tokens", "cached_tokens", "completion_tokens", "first_token_ms", "tokens_per_s", "retrieve_ms", "read_ms", "generate_ms", "check_ms", "total_ms", "candidate_count", "passage_count", "passage_documents", "searched_chunks", "searched_documents", "claim_count", "flag_count", "worst_verdict", "min_logprob", "mean_logprob", "outcome", "support_rate", "contradicted_count", "check_error", "best_score", "silent_failures") VALUES ('9562e5935dc36522836d5421ad12e557', '24c1f5b33fbd6232a2144cdb20d974f5', 1795760538940, 'done', 'person', '', 'What does rye bread need?', 'Rye bread needs sourdough [1].', 1, 'Kitchen', 2, 2, '7b320e5c67b6b25ecb33819a0173b9886327309cc492b80b83c4ebd02d0c6183', 'scripted', '0000000000000000000000000000000000000000000000000000000000000000', 'answer', '090436f2b514027a', 'system: You answer questions from numbered passages. Answer in one short sentence and end it with the number of the passage, like [1].
user: [1] # Bread

Rye bread needs sourdough and 24 hours of rest.

Question: What does rye bread need?', '{"chunking":{"max_tokens":200,"overlap_tokens":24},"retrieval":{"candidates":40,"rrf_k":60,"max_passages":6,"context_tokens":1400,"min_similarity":0.3},"generation":{"context":4096,"max_answer_tokens":256,"temperature":0.0,"top_p":0.95,"seed":42,"repeat_penalty":1.0,"gpu_layers":0,"threads":0,"ask_without_passages":false},"models":{"active":"","folders":[]},"appearance":{"theme":"system"}}', '[]', 'stop', 42, 0, 5, 30.39030399997955, 25695.216190500763, 9.315070999946329, 0.176538999994591, 0.15567100001590006, 5.626528999982838, 36.38853499990091, 2, 1, 1, 2, 2, 1, 0, 'supported', -0.5, -0.5, 'answered', 1.0, 0, '', 0.387298, '');
INSERT INTO "trace" ("id", "session_id", "created_ms", "status", "source", "error", "question", "answer", "collection_id", "collection", "version_id", "version_number", "version_fingerprint", "model", "model_sha256", "prompt_name", "prompt_fingerprint", "prompt", "settings", "fallbacks", "finish_reason", "prompt_tokens", "cached_tokens", "completion_tokens", "first_token_ms", "tokens_per_s", "retrieve_ms", "read_ms", "generate_ms", "check_ms", "total_ms", "candidate_count", "passage_count", "passage_documents", "searched_chunks", "searched_documents", "claim_count", "flag_count", "worst_verdict", "min_logprob", "mean_logprob", "outcome", "support_rate", "contradicted_count", "check_error", "best_score", "silent_failures") VALUES ('ddf079e3ac5839452cf05a619ab954e2', '4c039bbd2379e67ab32f5394a3acfe30', 1795760539052, 'done', 'person', '', 'When do the boats leave?', 'The boat leaves at noon. The boat leaves at noon. The boat leaves at noon. The boat leaves at noon. The boat leaves at noon. The boat leaves at noon. ', 1, 'Kitchen', 2, 2, '7b320e5c67b6b25ecb33819a0173b9886327309cc492b80b83c4ebd02d0c6183', 'scripted', '0000000000000000000000000000000000000000000000000000000000000000', 'answer', '090436f2b514027a', 'system: You answer questions from numbered passages. Answer in one short sentence and end it with the number of the passage, like [1].
user: [1] The tide at Bremen rises 3.5 metres. Boats leave at noon.

Question: When do the boats leave?', '{"chunking":{"max_tokens":200,"overlap_tokens":24},"retrieval":{"candidates":40,"rrf_k":60,"max_passages":6,"context_tokens":1400,"min_similarity":0.3},"generation":{"context":4096,"max_answer_tokens":256,"temperature":0.0,"top_p":0.95,"seed":42,"repeat_penalty":1.0,"gpu_layers":0,"threads":0,"ask_without_passages":false},"models":{"active":"","folders":[]},"appearance":{"theme":"system"}}', '[]', 'stop', 42, 0, 30, 83.36332800001856, 60372.64494950266, 50.12608199990609, 0.07265300007475162, 0.4803499999752603, 5.9247670000104335, 90.19997399991553, 2, 1, 1, 2, 2, 6, 0, 'supported', -0.5, -0.5, 'answered', 1.0, 0, '', 0.358569, 'repeated text');
INSERT INTO "trace" ("id", "session_id", "created_ms", "status", "source", "error", "question", "answer", "collection_id", "collection", "version_id", "version_number", "version_fingerprint", "model", "model_sha256", "prompt_name", "prompt_fingerprint", "prompt", "settings", "fallbacks", "finish_reason", "prompt_tokens", "cached_tokens", "completion_tokens", "first_token_ms", "tokens_per_s", "retrieve_ms", "read_ms", "generate_ms", "check_ms", "total_ms", "candidate_count", "passage_count", "passage_documents", "searched_chunks", "searched_documents", "claim_count", "flag_count", "worst_verdict", "min_logprob", "mean_logprob", "outcome", "support_rate", "contradicted_count", "check_error", "best_score", "silent_failures") VALUES ('7ceaaedbc0f1aa5fe7aa8f500bec477e', '1f31799922ef4b956017830ff1fa36ec', 1795760539210, 'nothing found', 'person', '', 'Zzz?', 'Nothing in this collection is close to the question, so the model was not asked.', 1, 'Kitchen', 2, 2, '7b320e5c67b6b25ecb33819a0173b9886327309cc492b80b83c4ebd02d0c6183', '', '', '', '', '', '{"chunking":{"max_tokens":200,"overlap_tokens":24},"retrieval":{"candidates":40,"rrf_k":60,"max_passages":6,"context_tokens":1400,"min_similarity":0.3},"generation":{"context":4096,"max_answer_tokens":256,"temperature":0.0,"top_p":0.95,"seed":42,"repeat_penalty":1.0,"gpu_layers":0,"threads":0,"ask_without_passages":false},"models":{"active":"","folders":[]},"appearance":{"theme":"system"}}', '[]', '', 0, 0, 0, NULL, NULL, 65.64855299995997, NULL, NULL, NULL, 98.94102600003407, 2, 0, 0, 2, 2, 0, 0, '', NULL, NULL, '', NULL, 0, '', 0.0, '');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (1, '9562e5935dc36522836d5421ad12e557', 'embed', 'EMBEDDING', 12.638534999950934, 12.851653999973678, 'fake');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (2, '9562e5935dc36522836d5421ad12e557', 'dense', 'RETRIEVER', 12.86473000004662, 19.48011599995425, '');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (3, '9562e5935dc36522836d5421ad12e557', 'lexical', 'RETRIEVER', 19.493720000014036, 21.19632799997362, 'BM25');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (4, '9562e5935dc36522836d5421ad12e557', 'fuse', 'CHAIN', 21.2118649999411, 21.889436000037676, 'RRF k=60');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (5, '9562e5935dc36522836d5421ad12e557', 'load', 'CHAIN', 22.6857249999739, 22.697148999895944, 'SmolLM2-135M-Instruct.Q4_1.gguf');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (6, '9562e5935dc36522836d5421ad12e557', 'pack', 'PROMPT', 22.946615999899223, 30.167235999897457, 'prompt answer');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (7, '9562e5935dc36522836d5421ad12e557', 'read prompt', 'LLM', 30.21376499998496, 30.39030399997955, '0 tokens cached');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (8, '9562e5935dc36522836d5421ad12e557', 'generate', 'LLM', 30.39030399997955, 30.54597499999545, '5 tokens');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (9, '9562e5935dc36522836d5421ad12e557', 'check', 'EVALUATOR', 30.60468299997865, 36.210022999966895, 'grounding detector');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (10, 'ddf079e3ac5839452cf05a619ab954e2', 'embed', 'EMBEDDING', 26.742722999983926, 26.99085799997647, 'fake');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (11, 'ddf079e3ac5839452cf05a619ab954e2', 'dense', 'RETRIEVER', 27.003293000007034, 73.22213899999497, '');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (12, 'ddf079e3ac5839452cf05a619ab954e2', 'lexical', 'RETRIEVER', 73.23913999994147, 75.97482699998181, 'BM25');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (13, 'ddf079e3ac5839452cf05a619ab954e2', 'fuse', 'CHAIN', 75.99216400001296, 76.787821000039, 'RRF k=60');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (14, 'ddf079e3ac5839452cf05a619ab954e2', 'load', 'CHAIN', 77.62212900001941, 77.63516299996809, 'SmolLM2-135M-Instruct.Q4_1.gguf');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (15, 'ddf079e3ac5839452cf05a619ab954e2', 'pack', 'PROMPT', 77.92613099991286, 83.23807299996133, 'prompt answer');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (16, 'ddf079e3ac5839452cf05a619ab954e2', 'read prompt', 'LLM', 83.2906749999438, 83.36332800001856, '0 tokens cached');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (17, 'ddf079e3ac5839452cf05a619ab954e2', 'generate', 'LLM', 83.36332800001856, 83.84367799999382, '30 tokens');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (18, 'ddf079e3ac5839452cf05a619ab954e2', 'check', 'EVALUATOR', 83.9049179999165, 89.8010459999341, 'grounding detector');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (19, '7ceaaedbc0f1aa5fe7aa8f500bec477e', 'embed', 'EMBEDDING', 33.15163900003881, 33.405599000047914, 'fake');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (20, '7ceaaedbc0f1aa5fe7aa8f500bec477e', 'dense', 'RETRIEVER', 33.42054800009464, 94.7845010000492, '');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (21, '7ceaaedbc0f1aa5fe7aa8f500bec477e', 'lexical', 'RETRIEVER', 94.80398800008061, 97.75879100004659, 'BM25');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (22, '7ceaaedbc0f1aa5fe7aa8f500bec477e', 'fuse', 'CHAIN', 97.77482900005907, 98.72493500006385, 'RRF k=60');
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (1, '9562e5935dc36522836d5421ad12e557', 3, 3, 'bread.md', '/documents/bread.md', 'Bread', 'section', NULL, 0, 56, '# Bread

Rye bread needs sourdough and 24 hours of rest.', 14, 1, 0.387298, 1, 1.665476, 1, 0.03278688524590164, 1, NULL);
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (2, '9562e5935dc36522836d5421ad12e557', 2, 2, 'tides.txt', '/documents/tides.txt', '', '', NULL, 0, 57, 'The tide at Bremen rises 3.5 metres. Boats leave at noon.', 15, 2, 0.0, NULL, NULL, 2, 0.016129032258064516, NULL, 'similarity 0.00 below 0.30');
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (3, 'ddf079e3ac5839452cf05a619ab954e2', 2, 2, 'tides.txt', '/documents/tides.txt', '', '', NULL, 0, 57, 'The tide at Bremen rises 3.5 metres. Boats leave at noon.', 15, 1, 0.358569, 1, 1.367011, 1, 0.03278688524590164, 1, NULL);
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (4, 'ddf079e3ac5839452cf05a619ab954e2', 3, 3, 'bread.md', '/documents/bread.md', 'Bread', 'section', NULL, 0, 56, '# Bread

Rye bread needs sourdough and 24 hours of rest.', 14, 2, 0.0, NULL, NULL, 2, 0.016129032258064516, NULL, 'similarity 0.00 below 0.30');
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (5, '7ceaaedbc0f1aa5fe7aa8f500bec477e', 2, 2, 'tides.txt', '/documents/tides.txt', '', '', NULL, 0, 57, 'The tide at Bremen rises 3.5 metres. Boats leave at noon.', 15, 1, 0.0, NULL, NULL, 1, 0.01639344262295082, NULL, 'similarity 0.00 below 0.30');
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (6, '7ceaaedbc0f1aa5fe7aa8f500bec477e', 3, 3, 'bread.md', '/documents/bread.md', 'Bread', 'section', NULL, 0, 56, '# Bread

Rye bread needs sourdough and 24 hours of rest.', 14, 2, 0.0, NULL, NULL, 2, 0.016129032258064516, NULL, 'similarity 0.00 below 0.30');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text", "raw_score", "doubtful") VALUES (1, '9562e5935dc36522836d5421ad12e557', 'Rye bread needs sourdough [1].', 0, 30, 'supported', 0.0029828157546495926, '', 1, 9, 56, 'Rye bread needs sourdough and 24 hours of rest.', 0.0029828157546495926, '');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text", "raw_score", "doubtful") VALUES (2, 'ddf079e3ac5839452cf05a619ab954e2', 'The boat leaves at noon.', 0, 24, 'supported', 0.00579685727085761, '', 1, 37, 57, 'Boats leave at noon.', 0.00579685727085761, '');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text", "raw_score", "doubtful") VALUES (3, 'ddf079e3ac5839452cf05a619ab954e2', 'The boat leaves at noon.', 25, 49, 'supported', 0.00579685727085761, '', 1, 37, 57, 'Boats leave at noon.', 0.00579685727085761, '');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text", "raw_score", "doubtful") VALUES (4, 'ddf079e3ac5839452cf05a619ab954e2', 'The boat leaves at noon.', 50, 74, 'supported', 0.00579685727085761, '', 1, 37, 57, 'Boats leave at noon.', 0.00579685727085761, '');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text", "raw_score", "doubtful") VALUES (5, 'ddf079e3ac5839452cf05a619ab954e2', 'The boat leaves at noon.', 75, 99, 'supported', 0.00579685727085761, '', 1, 37, 57, 'Boats leave at noon.', 0.00579685727085761, '');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text", "raw_score", "doubtful") VALUES (6, 'ddf079e3ac5839452cf05a619ab954e2', 'The boat leaves at noon.', 100, 124, 'supported', 0.00579685727085761, '', 1, 37, 57, 'Boats leave at noon.', 0.00579685727085761, '');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text", "raw_score", "doubtful") VALUES (7, 'ddf079e3ac5839452cf05a619ab954e2', 'The boat leaves at noon.', 125, 149, 'supported', 0.00579685727085761, '', 1, 37, 57, 'Boats leave at noon.', 0.00579685727085761, '');
INSERT INTO "flagopinion" ("trace_id", "start", "collection_id", "verdict", "score", "is_right", "note", "created_ms") VALUES ('9562e5935dc36522836d5421ad12e557', 1, 1, 'flagopinion verdict', 0.5, 1, 'flagopinion note', 1700000000000);
INSERT INTO "flaglimits" ("collection_id", "check_from", "unsupported_from", "slope", "intercept", "fitted_on", "second_detector", "second_slope", "second_intercept", "updated_ms") VALUES (1, 0.5, 0.5, 0.5, 0.5, 1, '', 0.5, 0.5, 1700000000000);
INSERT INTO "consistencycheck" ("id", "trace_id", "created_ms", "temperature", "samples", "clusters", "agreement", "semantic_entropy") VALUES (1, '9562e5935dc36522836d5421ad12e557', 1700000000000, 0.5, 'consistencycheck samples', 1, 0.5, 0.5);
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (1, 1795760536616, 'collection made', 'Kitchen', '');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (2, 1795760538679, 'version made', 'Kitchen', 'version 1: Added 2');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (3, 1795760538712, 'index proved', 'Kitchen', 'version 1: fingerprint as expected, 2 of 2 vectors checked are the same, 2 of 2 probes find the same passages.');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (4, 1795760538873, 'version made', 'Kitchen', 'version 2: Replaced 1');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (5, 1795760538935, 'index proved', 'Kitchen', 'version 2: fingerprint as expected, 2 of 2 vectors checked are the same, 2 of 2 probes find the same passages.');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (6, 1795760539373, 'version activated', 'Kitchen', 'version 1');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (7, 1795760539432, 'index proved', 'Kitchen', 'version 1: fingerprint as expected, 2 of 2 vectors checked are the same, 2 of 2 probes find the same passages.');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (8, 1795760539476, 'version activated', 'Kitchen', 'version 2');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (9, 1795760539532, 'index proved', 'Kitchen', 'version 2: fingerprint as expected, 2 of 2 vectors checked are the same, 2 of 2 probes find the same passages.');
INSERT INTO "referenceperiod" ("collection", "start_ms", "end_ms", "note") VALUES ('referenceperiod collection', 1700000000000, 1700000000000, 'referenceperiod note');
INSERT INTO "alertrule" ("id", "name", "measure", "collection", "model", "prompt", "comparison", "threshold", "window", "minimum", "enabled", "note", "state", "since_ms", "checked_ms", "value", "count", "limit", "sentence", "acknowledged") VALUES (1, 'More flagged answers', 'flag_rate', '', '', '', 'above', NULL, 50, 20, 1, 'Beyond the control limit of the reference period; with no change, 1 of 670 in simulated windows did that.', 'not enough data', 0, 1795760538992, NULL, 0, NULL, 'no reference period is chosen', '');
INSERT INTO "alertrule" ("id", "name", "measure", "collection", "model", "prompt", "comparison", "threshold", "window", "minimum", "enabled", "note", "state", "since_ms", "checked_ms", "value", "count", "limit", "sentence", "acknowledged") VALUES (2, 'More contradictions', 'contradiction_rate', '', '', '', 'above', NULL, 50, 20, 1, 'Beyond the control limit of the reference period; with no change, 1 of 670 in simulated windows did that.', 'not enough data', 0, 1795760538992, NULL, 0, NULL, 'no reference period is chosen', '');
INSERT INTO "alertrule" ("id", "name", "measure", "collection", "model", "prompt", "comparison", "threshold", "window", "minimum", "enabled", "note", "state", "since_ms", "checked_ms", "value", "count", "limit", "sentence", "acknowledged") VALUES (3, 'More refusals', 'refusal_rate', '', '', '', 'above', NULL, 50, 20, 1, 'Beyond the control limit of the reference period; with no change, 1 of 670 in simulated windows did that.', 'not enough data', 0, 1795760538992, NULL, 0, NULL, 'no reference period is chosen', '');
INSERT INTO "alertrule" ("id", "name", "measure", "collection", "model", "prompt", "comparison", "threshold", "window", "minimum", "enabled", "note", "state", "since_ms", "checked_ms", "value", "count", "limit", "sentence", "acknowledged") VALUES (4, 'More empty retrievals', 'empty_retrieval_rate', '', '', '', 'above', NULL, 50, 20, 1, 'Beyond the control limit of the reference period; with no change, 1 of 670 in simulated windows did that.', 'not enough data', 0, 1795760538992, NULL, 0, NULL, 'no reference period is chosen', '');
INSERT INTO "alertrule" ("id", "name", "measure", "collection", "model", "prompt", "comparison", "threshold", "window", "minimum", "enabled", "note", "state", "since_ms", "checked_ms", "value", "count", "limit", "sentence", "acknowledged") VALUES (5, 'Lower retrieval scores', 'best_score', '', '', '', 'below', NULL, 50, 20, 1, 'Beyond the control limit of the reference period; with no change, 1 of 800 in simulated windows did that.', 'not enough data', 0, 1795760538992, NULL, 0, NULL, 'no reference period is chosen', '');
INSERT INTO "alertrule" ("id", "name", "measure", "collection", "model", "prompt", "comparison", "threshold", "window", "minimum", "enabled", "note", "state", "since_ms", "checked_ms", "value", "count", "limit", "sentence", "acknowledged") VALUES (6, 'Slower answers', 'latency', '', '', '', 'above', NULL, 50, 20, 1, 'Beyond the control limit of the reference period; with no change, 1 of 800 in simulated windows did that.', 'not enough data', 0, 1795760538992, NULL, 0, NULL, 'no reference period is chosen', '');
INSERT INTO "alertrule" ("id", "name", "measure", "collection", "model", "prompt", "comparison", "threshold", "window", "minimum", "enabled", "note", "state", "since_ms", "checked_ms", "value", "count", "limit", "sentence", "acknowledged") VALUES (7, 'Silent failures', 'silent_failure_rate', '', '', '', 'above', 0.05, 50, 20, 1, 'On 422 real answers of six models (RAGTruth) the checks raised one alarm; at that rate 3 in 50 by chance is one window in 4,000.', 'not enough data', 0, 1795760539158, NULL, 2, NULL, 'not enough asks (2 of 20)', '');
INSERT INTO "alertrule" ("id", "name", "measure", "collection", "model", "prompt", "comparison", "threshold", "window", "minimum", "enabled", "note", "state", "since_ms", "checked_ms", "value", "count", "limit", "sentence", "acknowledged") VALUES (8, 'Other questions than before', 'question_drift', '', '', '', 'below', 0.01, 100, 20, 1, 'Energy test against the reference period. At p < 0.05 with no drift 3 % of tests alarm, a change of topic is found in 87 % of cases at 100 questions, in 43 % at 50.', 'not enough data', 0, 0, NULL, 0, NULL, '', '');
INSERT INTO "alertrule" ("id", "name", "measure", "collection", "model", "prompt", "comparison", "threshold", "window", "minimum", "enabled", "note", "state", "since_ms", "checked_ms", "value", "count", "limit", "sentence", "acknowledged") VALUES (9, 'Other scores than before', 'score_drift', '', '', '', 'below', 0.01, 100, 20, 1, 'Kolmogorov-Smirnov test against the reference period: exact, so 1 % of tests alarm with no drift.', 'not enough data', 0, 0, NULL, 0, NULL, '', '');
INSERT INTO "questionvector" ("text_hash", "embedder", "vector") VALUES ('questionvector text_hash', 'questionvector embedder', X'00010203');
INSERT INTO "canaryquestion" ("id", "collection_id", "question", "reference_trace_id", "created_ms") VALUES (1, 1, 'canaryquestion question', '9562e5935dc36522836d5421ad12e557', 1700000000000);
INSERT INTO "canaryrun" ("id", "collection_id", "created_ms", "version_number", "version_fingerprint", "model", "prompt_fingerprint", "settings", "question_count", "changed_count") VALUES (1, 1, 1700000000000, 1, 'canaryrun version_fingerprint', 'canaryrun model', 'canaryrun prompt_fingerprint', 'canaryrun settings', 1, 1);
INSERT INTO "canaryresult" ("run_id", "question_id", "trace_id", "reference_trace_id", "passage_overlap", "answer_similarity", "change") VALUES (1, 1, '9562e5935dc36522836d5421ad12e557', '9562e5935dc36522836d5421ad12e557', 0.5, 0.5, 'canaryresult change');
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
