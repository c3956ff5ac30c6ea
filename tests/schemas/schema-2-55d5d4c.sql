-- Schema 2, made by commit 55d5d4c (2026-11-23 Versions are made one way: fill the index, write and activate, clean, prove).
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
	PRIMARY KEY (id)
);
CREATE INDEX ix_trace_session_id ON trace (session_id);
CREATE INDEX ix_trace_collection_id ON trace (collection_id);
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
CREATE INDEX ix_tracehit_chunk_id ON tracehit (chunk_id);
CREATE INDEX ix_tracehit_document_id ON tracehit (document_id);
CREATE INDEX ix_tracehit_trace_id ON tracehit (trace_id);
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
	PRIMARY KEY (id)
);
CREATE INDEX ix_claim_trace_id ON claim (trace_id);
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
CREATE INDEX trace_list ON trace (created_ms DESC, id);
CREATE INDEX trace_flagged ON trace (created_ms DESC) WHERE flag_count > 0;
CREATE INDEX trace_verdict ON trace (worst_verdict, created_ms DESC);
CREATE INDEX trace_collection ON trace (collection, created_ms DESC);
CREATE INDEX trace_model ON trace (model, created_ms DESC);
CREATE INDEX trace_status ON trace (status, created_ms DESC);
INSERT INTO "collection" ("id", "key", "name", "created_ms", "embedder", "embedder_name", "chunking", "active_version_id", "index_version_id", "index_key", "index_server", "pending") VALUES (1, 'c-4cfb93a7847d3bc2', 'Kitchen', 1795760509159, 'fake-embedder', 'fake', '{"max_tokens":200,"overlap_tokens":24}', 2, 2, 'c-4cfb93a7847d3bc2', '', '');
INSERT INTO "document" ("id", "collection_id", "source", "name", "title", "media_type", "sha256", "size_bytes", "text", "places", "chunking", "chunk_count", "token_count", "created_ms", "complete") VALUES (1, 1, '/documents/bread.md', 'bread.md', 'Bread', 'text/markdown', '9bfe24e612d461e8d750d17a2802d2fb1cf0c0e2a7a42fa959f59ca1ff8a662d', 57, '# Bread

Rye bread needs sourdough and 12 hours of rest.
', '[["section", null, "Bread", 0, 56]]', '8e7e2c5b8f9e00dc', 1, 14, 1795760509322, 1);
INSERT INTO "document" ("id", "collection_id", "source", "name", "title", "media_type", "sha256", "size_bytes", "text", "places", "chunking", "chunk_count", "token_count", "created_ms", "complete") VALUES (2, 1, '/documents/tides.txt', 'tides.txt', 'tides', 'text/plain', 'de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386', 57, 'The tide at Bremen rises 3.5 metres. Boats leave at noon.', '[]', '8e7e2c5b8f9e00dc', 1, 15, 1795760509331, 1);
INSERT INTO "document" ("id", "collection_id", "source", "name", "title", "media_type", "sha256", "size_bytes", "text", "places", "chunking", "chunk_count", "token_count", "created_ms", "complete") VALUES (3, 1, '/documents/bread.md', 'bread.md', 'Bread', 'text/markdown', 'c7ddf57f8ef3360d0a9d2df3a52616086e815811b98191f724b9c0145d452793', 57, '# Bread

Rye bread needs sourdough and 24 hours of rest.
', '[["section", null, "Bread", 0, 56]]', '8e7e2c5b8f9e00dc', 1, 14, 1795760510965, 1);
INSERT INTO "chunk" ("id", "document_id", "position", "start", "end", "text", "text_hash", "token_count", "place", "place_kind", "place_number") VALUES (1, 1, 0, 0, 56, '# Bread

Rye bread needs sourdough and 12 hours of rest.', 'f038c0c0fbf345c120feef0c8ab2135a084f6558903e7b502f6cd6eeb8484835', 14, 'Bread', 'section', NULL);
INSERT INTO "chunk" ("id", "document_id", "position", "start", "end", "text", "text_hash", "token_count", "place", "place_kind", "place_number") VALUES (2, 2, 0, 0, 57, 'The tide at Bremen rises 3.5 metres. Boats leave at noon.', 'de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386', 15, '', '', NULL);
INSERT INTO "chunk" ("id", "document_id", "position", "start", "end", "text", "text_hash", "token_count", "place", "place_kind", "place_number") VALUES (3, 3, 0, 0, 56, '# Bread

Rye bread needs sourdough and 24 hours of rest.', '0157552fcfc8f3b03824071d11bb4d1178dc0a73c562424c63f876c44b5efb23', 14, 'Bread', 'section', NULL);
INSERT INTO "embedding" ("text_hash", "embedder", "vector") VALUES ('de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386', 'fake-embedder', floats('2:77d6883e 56:77d6883e 132:77d6883e 213:77d6883e 315:77d6883e 331:77d6883e 417:77d6083f 462:77d6883e 755:77d6883e 855:77d6883e 985:77d6883e'));
INSERT INTO "embedding" ("text_hash", "embedder", "vector") VALUES ('f038c0c0fbf345c120feef0c8ab2135a084f6558903e7b502f6cd6eeb8484835', 'fake-embedder', floats('125:3acd933e 230:3acd133f 559:3acd933e 571:3acd933e 627:3acd933e 632:3acd933e 740:3acd933e 764:3acd933e 784:3acd933e'));
INSERT INTO "embedding" ("text_hash", "embedder", "vector") VALUES ('0157552fcfc8f3b03824071d11bb4d1178dc0a73c562424c63f876c44b5efb23', 'fake-embedder', floats('125:3acd933e 230:3acd133f 351:3acd933e 559:3acd933e 571:3acd933e 627:3acd933e 632:3acd933e 740:3acd933e 764:3acd933e'));
INSERT INTO "datasetversion" ("id", "collection_id", "number", "created_ms", "message", "embedder", "embedder_name", "chunking", "fingerprint", "document_count", "chunk_count", "token_count", "added_count", "replaced_count", "removed_count", "kind", "parent_id", "chunks_added", "chunks_removed", "tokens_added", "tokens_removed", "excluded_count", "text_count", "index_fingerprint", "trial_key") VALUES (1, 1, 1, 1795760510757, 'Added 2', 'fake-embedder', 'fake', '{"max_tokens":200,"overlap_tokens":24}', '12a53baa7506dec1c8624fb9e974c2f2f62ce237a9bc6e98fe73dc834588ce0c', 2, 2, 29, 2, 0, 0, 'ingest', NULL, 2, 0, 29, 0, 0, 2, '1a1bf38487d6950465893eafd618ec01fba67e32014a8b754efa6747d7545fea', '');
INSERT INTO "datasetversion" ("id", "collection_id", "number", "created_ms", "message", "embedder", "embedder_name", "chunking", "fingerprint", "document_count", "chunk_count", "token_count", "added_count", "replaced_count", "removed_count", "kind", "parent_id", "chunks_added", "chunks_removed", "tokens_added", "tokens_removed", "excluded_count", "text_count", "index_fingerprint", "trial_key") VALUES (2, 1, 2, 1795760511032, 'Replaced 1', 'fake-embedder', 'fake', '{"max_tokens":200,"overlap_tokens":24}', '7b320e5c67b6b25ecb33819a0173b9886327309cc492b80b83c4ebd02d0c6183', 2, 2, 29, 0, 1, 0, 'ingest', 1, 1, 1, 14, 14, 0, 2, '244da632639e00b9430ab70a00c048144a7f647be47ae323f7c8c34b24ff21ee', '');
INSERT INTO "versiondocument" ("version_id", "document_id", "attributes") VALUES (1, 1, '');
INSERT INTO "versiondocument" ("version_id", "document_id", "attributes") VALUES (1, 2, '');
INSERT INTO "versiondocument" ("version_id", "document_id", "attributes") VALUES (2, 2, '');
INSERT INTO "versiondocument" ("version_id", "document_id", "attributes") VALUES (2, 3, '');
INSERT INTO "versionexclusion" ("version_id", "chunk_id", "reason") VALUES (1, 1, 'versionexclusion reason');
INSERT INTO "versiontag" ("id", "collection_id", "version_id", "name", "created_ms") VALUES (1, 1, 1, 'versiontag name', 1700000000000);
INSERT INTO "probe" ("id", "collection_id", "embedder", "text", "vector", "by_person", "created_ms") VALUES (1, 1, 'fake-embedder', 'tide bremen rises 3 5 metres boats leave noon', floats('2:77d6883e 56:77d6883e 132:77d6883e 213:77d6883e 315:77d6883e 331:77d6883e 417:77d6083f 462:77d6883e 755:77d6883e 855:77d6883e 985:77d6883e'), 0, 1795760510780);
INSERT INTO "probe" ("id", "collection_id", "embedder", "text", "vector", "by_person", "created_ms") VALUES (2, 1, 'fake-embedder', 'bread rye needs sourdough 12 hours rest', floats('125:3acd933e 230:3acd133f 559:3acd933e 571:3acd933e 627:3acd933e 632:3acd933e 740:3acd933e 764:3acd933e 784:3acd933e'), 0, 1795760510780);
INSERT INTO "proberesult" ("version_id", "probe_id", "hits") VALUES (1, 1, '["de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386", "f038c0c0fbf345c120feef0c8ab2135a084f6558903e7b502f6cd6eeb8484835", "de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386"]');
INSERT INTO "proberesult" ("version_id", "probe_id", "hits") VALUES (1, 2, '["f038c0c0fbf345c120feef0c8ab2135a084f6558903e7b502f6cd6eeb8484835", "de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386", "f038c0c0fbf345c120feef0c8ab2135a084f6558903e7b502f6cd6eeb8484835"]');
INSERT INTO "proberesult" ("version_id", "probe_id", "hits") VALUES (2, 1, '["de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386", "0157552fcfc8f3b03824071d11bb4d1178dc0a73c562424c63f876c44b5efb23", "de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386"]');
INSERT INTO "proberesult" ("version_id", "probe_id", "hits") VALUES (2, 2, '["0157552fcfc8f3b03824071d11bb4d1178dc0a73c562424c63f876c44b5efb23", "de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386", "0157552fcfc8f3b03824071d11bb4d1178dc0a73c562424c63f876c44b5efb23"]');
INSERT INTO "proof" ("id", "collection_id", "version_id", "created_ms", "ok", "fingerprint_same", "vectors_checked", "vectors_same", "probe_count", "probes_same", "embedded_count", "milliseconds", "detail") VALUES (1, 1, 1, 1795760510807, 1, 1, 2, 2, 2, 2, 0, 36.85494199999084, '');
INSERT INTO "proof" ("id", "collection_id", "version_id", "created_ms", "ok", "fingerprint_same", "vectors_checked", "vectors_same", "probe_count", "probes_same", "embedded_count", "milliseconds", "detail") VALUES (2, 1, 2, 1795760511091, 1, 1, 2, 2, 2, 2, 0, 19.46726900007434, '');
INSERT INTO "proof" ("id", "collection_id", "version_id", "created_ms", "ok", "fingerprint_same", "vectors_checked", "vectors_same", "probe_count", "probes_same", "embedded_count", "milliseconds", "detail") VALUES (3, 1, 1, 1795760511444, 1, 1, 2, 2, 2, 2, 0, 16.350321000004442, '');
INSERT INTO "proof" ("id", "collection_id", "version_id", "created_ms", "ok", "fingerprint_same", "vectors_checked", "vectors_same", "probe_count", "probes_same", "embedded_count", "milliseconds", "detail") VALUES (4, 1, 2, 1795760511540, 1, 1, 2, 2, 2, 2, 0, 16.629979999947864, '');
INSERT INTO "embedderfolder" ("fingerprint", "name", "path", "added_ms") VALUES ('embedderfolder fingerprint', 'embedderfolder name', 'embedderfolder path', 1700000000000);
INSERT INTO "watchedfolder" ("id", "collection_id", "path", "enabled", "quiet_s", "created_ms", "last_check_ms", "last_change_ms", "seen_signature", "seen_since_ms", "done_signature", "outcome") VALUES (1, 1, 'watchedfolder path', 1, 1, 1700000000000, 1700000000000, 1700000000000, 'watchedfolder seen_signature', 1700000000000, 'watchedfolder done_signature', 'watchedfolder outcome');
INSERT INTO "model" ("id", "path", "sha256", "size_bytes", "modified_ms", "added_ms") VALUES (1, 'model path', 'model sha256', 1, 1700000000000, 1700000000000);
INSERT INTO "trace" ("id", "session_id", "created_ms", "status", "source", "error", "question", "answer", "collection_id", "collection", "version_id", "version_number", "version_fingerprint", "model", "model_sha256", "prompt_name", "prompt_fingerprint", "prompt", "settings", "fallbacks", "finish_reason", "prompt_tokens", "cached_tokens", "completion_tokens", "first_token_ms", "tokens_per_s", "retrieve_ms", "read_ms", "generate_ms", "check_ms", "total_ms", "candidate_count", "passage_count", "passage_documents", "searched_chunks", "searched_documents", "claim_count", "flag_count", "worst_verdict", "min_logprob", "mean_logprob") VALUES ('bc4f0825140a745cf159f71c815b1c58', '9d3d550daf6b2595ee0ca5151884c378', 1795760511094, 'done', 'person', '', 'What does rye bread need?', 'Rye bread needs sourdough [1].', 1, 'Kitchen', 2, 2, '7b320e5c67b6b25ecb33819a0173b9886327309cc492b80b83c4ebd02d0c6183', 'scripted', '0000000000000000000000000000000000000000000000000000000000000000', 'answer', '090436f2b514027a', 'system: You answer questions from numbered passages. Answer in one short sentence and end it with the number of the passage, like [1].
user: [1] # Bread

Rye bread needs sourdough and 24 hours of rest.

Question: What does rye bread need?', '{"chunking":{"max_tokens":200,"overlap_tokens":24},"retrieval":{"candidates":40,"rrf_k":60,"max_passages":6,"context_tokens":1400,"min_similarity":0.3},"generation":{"context":4096,"max_answer_tokens":256,"temperature":0.0,"top_p":0.95,"seed":42,"repeat_penalty":1.0,"gpu_layers":0,"threads":0,"ask_without_passages":false},"models":{"active":"","folders":[]},"appearance":{"theme":"system"}}', '[]', 'stop', 42, 0, 5, 19.578330999934224, 41310.79141446141, 6.597178999982134, 0.12249799999608513, 0.09682699999302713, 1.766727000017454, 21.586937999927613, 2, 1, 1, 2, 2, 1, 0, 'supported', -0.5, -0.5);
INSERT INTO "trace" ("id", "session_id", "created_ms", "status", "source", "error", "question", "answer", "collection_id", "collection", "version_id", "version_number", "version_fingerprint", "model", "model_sha256", "prompt_name", "prompt_fingerprint", "prompt", "settings", "fallbacks", "finish_reason", "prompt_tokens", "cached_tokens", "completion_tokens", "first_token_ms", "tokens_per_s", "retrieve_ms", "read_ms", "generate_ms", "check_ms", "total_ms", "candidate_count", "passage_count", "passage_documents", "searched_chunks", "searched_documents", "claim_count", "flag_count", "worst_verdict", "min_logprob", "mean_logprob") VALUES ('eb6c1b6941a89519779106430defb231', '5a1f621eac3aaceb4227b08d236324cb', 1795760511170, 'done', 'person', '', 'When do the boats leave?', 'The boat leaves at noon. The boat leaves at noon. The boat leaves at noon. The boat leaves at noon. The boat leaves at noon. The boat leaves at noon. ', 1, 'Kitchen', 2, 2, '7b320e5c67b6b25ecb33819a0173b9886327309cc492b80b83c4ebd02d0c6183', 'scripted', '0000000000000000000000000000000000000000000000000000000000000000', 'answer', '090436f2b514027a', 'system: You answer questions from numbered passages. Answer in one short sentence and end it with the number of the passage, like [1].
user: [1] The tide at Bremen rises 3.5 metres. Boats leave at noon.

Question: When do the boats leave?', '{"chunking":{"max_tokens":200,"overlap_tokens":24},"retrieval":{"candidates":40,"rrf_k":60,"max_passages":6,"context_tokens":1400,"min_similarity":0.3},"generation":{"context":4096,"max_answer_tokens":256,"temperature":0.0,"top_p":0.95,"seed":42,"repeat_penalty":1.0,"gpu_layers":0,"threads":0,"ask_without_passages":false},"models":{"active":"","folders":[]},"appearance":{"theme":"system"}}', '[]', 'stop', 42, 0, 30, 66.40914500007966, 94826.40229467623, 45.476947999986805, 0.0400520000312099, 0.3058219999729772, 2.0350380000309087, 69.01357900005678, 2, 1, 1, 2, 2, 6, 0, 'supported', -0.5, -0.5);
INSERT INTO "trace" ("id", "session_id", "created_ms", "status", "source", "error", "question", "answer", "collection_id", "collection", "version_id", "version_number", "version_fingerprint", "model", "model_sha256", "prompt_name", "prompt_fingerprint", "prompt", "settings", "fallbacks", "finish_reason", "prompt_tokens", "cached_tokens", "completion_tokens", "first_token_ms", "tokens_per_s", "retrieve_ms", "read_ms", "generate_ms", "check_ms", "total_ms", "candidate_count", "passage_count", "passage_documents", "searched_chunks", "searched_documents", "claim_count", "flag_count", "worst_verdict", "min_logprob", "mean_logprob") VALUES ('7a09a90c50e6b0db09cdcb449cba3005', 'e52cc67363c143112272305fcb8d3c37', 1795760511294, 'nothing found', 'person', '', 'Zzz?', 'Nothing in this collection is close to the question, so the model was not asked.', 1, 'Kitchen', 2, 2, '7b320e5c67b6b25ecb33819a0173b9886327309cc492b80b83c4ebd02d0c6183', '', '', '', '', '', '{"chunking":{"max_tokens":200,"overlap_tokens":24},"retrieval":{"candidates":40,"rrf_k":60,"max_passages":6,"context_tokens":1400,"min_similarity":0.3},"generation":{"context":4096,"max_answer_tokens":256,"temperature":0.0,"top_p":0.95,"seed":42,"repeat_penalty":1.0,"gpu_layers":0,"threads":0,"ask_without_passages":false},"models":{"active":"","folders":[]},"appearance":{"theme":"system"}}', '[]', '', 0, 0, 0, NULL, NULL, 41.645697999911135, NULL, NULL, NULL, 51.17619499992543, 2, 0, 0, 2, 2, 0, 0, '', NULL, NULL);
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (1, 'bc4f0825140a745cf159f71c815b1c58', 'embed', 'EMBEDDING', 6.959812999980386, 7.122116000005008, 'fake');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (2, 'bc4f0825140a745cf159f71c815b1c58', 'dense', 'RETRIEVER', 7.131017000006068, 11.448332999975719, '');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (3, 'bc4f0825140a745cf159f71c815b1c58', 'lexical', 'RETRIEVER', 11.460111000019424, 13.019415000030676, 'BM25');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (4, 'bc4f0825140a745cf159f71c815b1c58', 'fuse', 'CHAIN', 13.033909999990101, 13.507392999940748, 'RRF k=60');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (5, 'bc4f0825140a745cf159f71c815b1c58', 'load', 'CHAIN', 14.235014999940176, 14.243114999999307, 'SmolLM2-135M-Instruct.Q4_1.gguf');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (6, 'bc4f0825140a745cf159f71c815b1c58', 'pack', 'PROMPT', 14.485303000014937, 19.420006000018475, 'prompt answer');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (7, 'bc4f0825140a745cf159f71c815b1c58', 'read prompt', 'LLM', 19.45583299993814, 19.578330999934224, '0 tokens cached');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (8, 'bc4f0825140a745cf159f71c815b1c58', 'generate', 'LLM', 19.578330999934224, 19.67515799992725, '5 tokens');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (9, 'bc4f0825140a745cf159f71c815b1c58', 'check', 'EVALUATOR', 19.713199999955577, 21.464234999939436, 'grounding detector');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (10, 'eb6c1b6941a89519779106430defb231', 'embed', 'EMBEDDING', 16.640020000068034, 16.852920000019367, 'fake');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (11, 'eb6c1b6941a89519779106430defb231', 'dense', 'RETRIEVER', 16.863166000007368, 55.04456700009541, '');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (12, 'eb6c1b6941a89519779106430defb231', 'lexical', 'RETRIEVER', 55.05688400000963, 61.5093200000274, 'BM25');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (13, 'eb6c1b6941a89519779106430defb231', 'fuse', 'CHAIN', 61.52623700006643, 62.064769000016895, 'RRF k=60');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (14, 'eb6c1b6941a89519779106430defb231', 'load', 'CHAIN', 62.71989500010022, 62.7298490001067, 'SmolLM2-135M-Instruct.Q4_1.gguf');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (15, 'eb6c1b6941a89519779106430defb231', 'pack', 'PROMPT', 62.93518100005713, 66.3345880000179, 'prompt answer');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (16, 'eb6c1b6941a89519779106430defb231', 'read prompt', 'LLM', 66.36909300004845, 66.40914500007966, '0 tokens cached');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (17, 'eb6c1b6941a89519779106430defb231', 'generate', 'LLM', 66.40914500007966, 66.71496700005264, '30 tokens');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (18, 'eb6c1b6941a89519779106430defb231', 'check', 'EVALUATOR', 66.75162100009402, 68.76831000010952, 'grounding detector');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (19, '7a09a90c50e6b0db09cdcb449cba3005', 'embed', 'EMBEDDING', 9.42352699996718, 9.610245999965628, 'fake');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (20, '7a09a90c50e6b0db09cdcb449cba3005', 'dense', 'RETRIEVER', 9.619800999985273, 44.43354399995769, '');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (21, '7a09a90c50e6b0db09cdcb449cba3005', 'lexical', 'RETRIEVER', 44.453840999949534, 46.312156999988474, 'BM25');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (22, '7a09a90c50e6b0db09cdcb449cba3005', 'fuse', 'CHAIN', 46.324627999979384, 51.01225499993234, 'RRF k=60');
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (1, 'bc4f0825140a745cf159f71c815b1c58', 3, 3, 'bread.md', '/documents/bread.md', 'Bread', 'section', NULL, 0, 56, '# Bread

Rye bread needs sourdough and 24 hours of rest.', 14, 1, 0.387298, 1, 1.665476, 1, 0.03278688524590164, 1, NULL);
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (2, 'bc4f0825140a745cf159f71c815b1c58', 2, 2, 'tides.txt', '/documents/tides.txt', '', '', NULL, 0, 57, 'The tide at Bremen rises 3.5 metres. Boats leave at noon.', 15, 2, 0.0, NULL, NULL, 2, 0.016129032258064516, NULL, 'similarity 0.00 below 0.30');
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (3, 'eb6c1b6941a89519779106430defb231', 2, 2, 'tides.txt', '/documents/tides.txt', '', '', NULL, 0, 57, 'The tide at Bremen rises 3.5 metres. Boats leave at noon.', 15, 1, 0.358569, 1, 1.367011, 1, 0.03278688524590164, 1, NULL);
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (4, 'eb6c1b6941a89519779106430defb231', 3, 3, 'bread.md', '/documents/bread.md', 'Bread', 'section', NULL, 0, 56, '# Bread

Rye bread needs sourdough and 24 hours of rest.', 14, 2, 0.0, NULL, NULL, 2, 0.016129032258064516, NULL, 'similarity 0.00 below 0.30');
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (5, '7a09a90c50e6b0db09cdcb449cba3005', 2, 2, 'tides.txt', '/documents/tides.txt', '', '', NULL, 0, 57, 'The tide at Bremen rises 3.5 metres. Boats leave at noon.', 15, 1, 0.0, NULL, NULL, 1, 0.01639344262295082, NULL, 'similarity 0.00 below 0.30');
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (6, '7a09a90c50e6b0db09cdcb449cba3005', 3, 3, 'bread.md', '/documents/bread.md', 'Bread', 'section', NULL, 0, 56, '# Bread

Rye bread needs sourdough and 24 hours of rest.', 14, 2, 0.0, NULL, NULL, 2, 0.016129032258064516, NULL, 'similarity 0.00 below 0.30');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text") VALUES (1, 'bc4f0825140a745cf159f71c815b1c58', 'Rye bread needs sourdough [1].', 0, 30, 'supported', 0.0029828157546495926, '', 1, 9, 56, 'Rye bread needs sourdough and 24 hours of rest.');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text") VALUES (2, 'eb6c1b6941a89519779106430defb231', 'The boat leaves at noon.', 0, 24, 'supported', 0.00579685727085761, '', 1, 37, 57, 'Boats leave at noon.');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text") VALUES (3, 'eb6c1b6941a89519779106430defb231', 'The boat leaves at noon.', 25, 49, 'supported', 0.00579685727085761, '', 1, 37, 57, 'Boats leave at noon.');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text") VALUES (4, 'eb6c1b6941a89519779106430defb231', 'The boat leaves at noon.', 50, 74, 'supported', 0.00579685727085761, '', 1, 37, 57, 'Boats leave at noon.');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text") VALUES (5, 'eb6c1b6941a89519779106430defb231', 'The boat leaves at noon.', 75, 99, 'supported', 0.00579685727085761, '', 1, 37, 57, 'Boats leave at noon.');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text") VALUES (6, 'eb6c1b6941a89519779106430defb231', 'The boat leaves at noon.', 100, 124, 'supported', 0.00579685727085761, '', 1, 37, 57, 'Boats leave at noon.');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text") VALUES (7, 'eb6c1b6941a89519779106430defb231', 'The boat leaves at noon.', 125, 149, 'supported', 0.00579685727085761, '', 1, 37, 57, 'Boats leave at noon.');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (1, 1795760509159, 'collection made', 'Kitchen', '');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (2, 1795760510763, 'version made', 'Kitchen', 'version 1: Added 2');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (3, 1795760510807, 'index proved', 'Kitchen', 'version 1: fingerprint as expected, 2 of 2 vectors checked are the same, 2 of 2 probes find the same passages.');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (4, 1795760511034, 'version made', 'Kitchen', 'version 2: Replaced 1');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (5, 1795760511091, 'index proved', 'Kitchen', 'version 2: fingerprint as expected, 2 of 2 vectors checked are the same, 2 of 2 probes find the same passages.');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (6, 1795760511391, 'version activated', 'Kitchen', 'version 1');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (7, 1795760511444, 'index proved', 'Kitchen', 'version 1: fingerprint as expected, 2 of 2 vectors checked are the same, 2 of 2 probes find the same passages.');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (8, 1795760511488, 'version activated', 'Kitchen', 'version 2');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (9, 1795760511540, 'index proved', 'Kitchen', 'version 2: fingerprint as expected, 2 of 2 vectors checked are the same, 2 of 2 probes find the same passages.');
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
PRAGMA user_version = 2;
