-- Schema 1, made by commit 701448e (2026-11-23 The window: pages, charts, source panel, engine process, drops and palette).
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
CREATE INDEX ix_chunk_document_id ON chunk (document_id);
CREATE INDEX ix_chunk_text_hash ON chunk (text_hash);
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
	PRIMARY KEY (id), 
	UNIQUE (collection_id, number)
);
CREATE INDEX ix_datasetversion_collection_id ON datasetversion (collection_id);
CREATE TABLE versiondocument (
	version_id INTEGER NOT NULL, 
	document_id INTEGER NOT NULL, 
	PRIMARY KEY (version_id, document_id)
);
CREATE INDEX ix_versiondocument_document_id ON versiondocument (document_id);
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
CREATE INDEX ix_trace_model ON trace (model);
CREATE INDEX ix_trace_created_ms ON trace (created_ms);
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
CREATE INDEX trace_list ON trace (created_ms DESC, id);
CREATE INDEX trace_flagged ON trace (created_ms DESC) WHERE flag_count > 0;
CREATE INDEX trace_verdict ON trace (worst_verdict, created_ms DESC);
CREATE INDEX trace_collection ON trace (collection, created_ms DESC);
CREATE INDEX trace_model ON trace (model, created_ms DESC);
CREATE INDEX trace_status ON trace (status, created_ms DESC);
INSERT INTO "collection" ("id", "key", "name", "created_ms", "embedder", "embedder_name", "chunking", "active_version_id", "index_version_id") VALUES (1, 'c-96499535ff52a721', 'Kitchen', 1795760503985, 'fake-embedder', 'fake', '{"max_tokens":200,"overlap_tokens":24}', 2, 2);
INSERT INTO "document" ("id", "collection_id", "source", "name", "title", "media_type", "sha256", "size_bytes", "text", "places", "chunking", "chunk_count", "token_count", "created_ms", "complete") VALUES (1, 1, '/documents/bread.md', 'bread.md', 'Bread', 'text/markdown', '9bfe24e612d461e8d750d17a2802d2fb1cf0c0e2a7a42fa959f59ca1ff8a662d', 57, '# Bread

Rye bread needs sourdough and 12 hours of rest.', '[["section", null, "Bread", 0, 56]]', '212e4d9d78057774', 1, 14, 1795760504160, 1);
INSERT INTO "document" ("id", "collection_id", "source", "name", "title", "media_type", "sha256", "size_bytes", "text", "places", "chunking", "chunk_count", "token_count", "created_ms", "complete") VALUES (2, 1, '/documents/tides.txt', 'tides.txt', 'tides', 'text/plain', 'de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386', 57, 'The tide at Bremen rises 3.5 metres. Boats leave at noon.', '[]', '212e4d9d78057774', 1, 15, 1795760504165, 1);
INSERT INTO "document" ("id", "collection_id", "source", "name", "title", "media_type", "sha256", "size_bytes", "text", "places", "chunking", "chunk_count", "token_count", "created_ms", "complete") VALUES (3, 1, '/documents/bread.md', 'bread.md', 'Bread', 'text/markdown', 'c7ddf57f8ef3360d0a9d2df3a52616086e815811b98191f724b9c0145d452793', 57, '# Bread

Rye bread needs sourdough and 24 hours of rest.', '[["section", null, "Bread", 0, 56]]', '212e4d9d78057774', 1, 14, 1795760505769, 1);
INSERT INTO "chunk" ("id", "document_id", "position", "start", "end", "text", "text_hash", "token_count", "place", "place_kind", "place_number") VALUES (1, 1, 0, 0, 56, '# Bread

Rye bread needs sourdough and 12 hours of rest.', 'f038c0c0fbf345c120feef0c8ab2135a084f6558903e7b502f6cd6eeb8484835', 14, 'Bread', 'section', NULL);
INSERT INTO "chunk" ("id", "document_id", "position", "start", "end", "text", "text_hash", "token_count", "place", "place_kind", "place_number") VALUES (2, 2, 0, 0, 57, 'The tide at Bremen rises 3.5 metres. Boats leave at noon.', 'de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386', 15, '', '', NULL);
INSERT INTO "chunk" ("id", "document_id", "position", "start", "end", "text", "text_hash", "token_count", "place", "place_kind", "place_number") VALUES (3, 3, 0, 0, 56, '# Bread

Rye bread needs sourdough and 24 hours of rest.', '0157552fcfc8f3b03824071d11bb4d1178dc0a73c562424c63f876c44b5efb23', 14, 'Bread', 'section', NULL);
INSERT INTO "embedding" ("text_hash", "embedder", "vector") VALUES ('de032cf0a68a17e9f2d83f73d136455a2b06865cc07922d10f830d65d1b8a386', 'fake-embedder', floats('2:77d6883e 56:77d6883e 132:77d6883e 213:77d6883e 315:77d6883e 331:77d6883e 417:77d6083f 462:77d6883e 755:77d6883e 855:77d6883e 985:77d6883e'));
INSERT INTO "embedding" ("text_hash", "embedder", "vector") VALUES ('f038c0c0fbf345c120feef0c8ab2135a084f6558903e7b502f6cd6eeb8484835', 'fake-embedder', floats('125:3acd933e 230:3acd133f 559:3acd933e 571:3acd933e 627:3acd933e 632:3acd933e 740:3acd933e 764:3acd933e 784:3acd933e'));
INSERT INTO "embedding" ("text_hash", "embedder", "vector") VALUES ('0157552fcfc8f3b03824071d11bb4d1178dc0a73c562424c63f876c44b5efb23', 'fake-embedder', floats('125:3acd933e 230:3acd133f 351:3acd933e 559:3acd933e 571:3acd933e 627:3acd933e 632:3acd933e 740:3acd933e 764:3acd933e'));
INSERT INTO "datasetversion" ("id", "collection_id", "number", "created_ms", "message", "embedder", "embedder_name", "chunking", "fingerprint", "document_count", "chunk_count", "token_count", "added_count", "replaced_count", "removed_count") VALUES (1, 1, 1, 1795760504168, 'Added 2', 'fake-embedder', 'fake', '{"max_tokens":200,"overlap_tokens":24}', 'db7d5f8aea2c799e5b81f305541d54997d429e02fc96d21cfa191706b9e851d8', 2, 2, 29, 2, 0, 0);
INSERT INTO "datasetversion" ("id", "collection_id", "number", "created_ms", "message", "embedder", "embedder_name", "chunking", "fingerprint", "document_count", "chunk_count", "token_count", "added_count", "replaced_count", "removed_count") VALUES (2, 1, 2, 1795760505772, 'Replaced 1', 'fake-embedder', 'fake', '{"max_tokens":200,"overlap_tokens":24}', 'e0a89e1f3e1898d70c0203bc51f4cfa973c66e55d0b6a1cc65e58ffed8417d59', 2, 2, 29, 0, 1, 0);
INSERT INTO "versiondocument" ("version_id", "document_id") VALUES (1, 1);
INSERT INTO "versiondocument" ("version_id", "document_id") VALUES (1, 2);
INSERT INTO "versiondocument" ("version_id", "document_id") VALUES (2, 2);
INSERT INTO "versiondocument" ("version_id", "document_id") VALUES (2, 3);
INSERT INTO "model" ("id", "path", "sha256", "size_bytes", "modified_ms", "added_ms") VALUES (1, 'model path', 'model sha256', 1, 1700000000000, 1700000000000);
INSERT INTO "trace" ("id", "session_id", "created_ms", "status", "source", "error", "question", "answer", "collection_id", "collection", "version_id", "version_number", "version_fingerprint", "model", "model_sha256", "prompt_name", "prompt_fingerprint", "prompt", "settings", "fallbacks", "finish_reason", "prompt_tokens", "cached_tokens", "completion_tokens", "first_token_ms", "tokens_per_s", "retrieve_ms", "read_ms", "generate_ms", "check_ms", "total_ms", "candidate_count", "passage_count", "passage_documents", "searched_chunks", "searched_documents", "claim_count", "flag_count", "worst_verdict", "min_logprob", "mean_logprob") VALUES ('ac552456028f056151977aa6c12d337a', 'f7ee3775b989aae2fe409b7e8f04ea81', 1795760505862, 'done', 'person', '', 'What does rye bread need?', 'Rye bread needs sourdough [1].', 1, 'Kitchen', 2, 2, 'e0a89e1f3e1898d70c0203bc51f4cfa973c66e55d0b6a1cc65e58ffed8417d59', 'scripted', '0000000000000000000000000000000000000000000000000000000000000000', 'answer', '449f192d7b693a2f', 'system: You answer questions from numbered passages. Answer in one short sentence and end it with the number of the passage, like [1]. If the passages do not answer the question, say so.
user: [1] # Bread

Rye bread needs sourdough and 24 hours of rest.

Question: What does rye bread need?', '{"chunking":{"max_tokens":200,"overlap_tokens":24},"retrieval":{"candidates":40,"rrf_k":60,"max_passages":6,"context_tokens":1400,"min_similarity":0.3},"generation":{"context":4096,"max_answer_tokens":256,"temperature":0.0,"top_p":0.95,"seed":42,"repeat_penalty":1.0,"gpu_layers":0,"threads":0,"ask_without_passages":false},"models":{"active":"","folders":[]},"appearance":{"theme":"system"}}', '[]', 'stop', 52, 0, 5, 34.125713999969776, 29322.933450267796, 7.40504400005193, 0.17996999997649255, 0.13641200007441512, 1.4418540000633584, 35.884801000065636, 2, 1, 1, 2, 2, 1, 0, 'supported', -0.5, -0.5);
INSERT INTO "trace" ("id", "session_id", "created_ms", "status", "source", "error", "question", "answer", "collection_id", "collection", "version_id", "version_number", "version_fingerprint", "model", "model_sha256", "prompt_name", "prompt_fingerprint", "prompt", "settings", "fallbacks", "finish_reason", "prompt_tokens", "cached_tokens", "completion_tokens", "first_token_ms", "tokens_per_s", "retrieve_ms", "read_ms", "generate_ms", "check_ms", "total_ms", "candidate_count", "passage_count", "passage_documents", "searched_chunks", "searched_documents", "claim_count", "flag_count", "worst_verdict", "min_logprob", "mean_logprob") VALUES ('209c4cc6f63f33325d062344eb6fd611', '094863b0ad449542a937ef4a85e45b40', 1795760505960, 'done', 'person', '', 'When do the boats leave?', 'The boat leaves at noon. The boat leaves at noon. The boat leaves at noon. The boat leaves at noon. The boat leaves at noon. The boat leaves at noon. ', 1, 'Kitchen', 2, 2, 'e0a89e1f3e1898d70c0203bc51f4cfa973c66e55d0b6a1cc65e58ffed8417d59', 'scripted', '0000000000000000000000000000000000000000000000000000000000000000', 'answer', '449f192d7b693a2f', 'system: You answer questions from numbered passages. Answer in one short sentence and end it with the number of the passage, like [1]. If the passages do not answer the question, say so.
user: [1] The tide at Bremen rises 3.5 metres. Boats leave at noon.

Question: When do the boats leave?', '{"chunking":{"max_tokens":200,"overlap_tokens":24},"retrieval":{"candidates":40,"rrf_k":60,"max_passages":6,"context_tokens":1400,"min_similarity":0.3},"generation":{"context":4096,"max_answer_tokens":256,"temperature":0.0,"top_p":0.95,"seed":42,"repeat_penalty":1.0,"gpu_layers":0,"threads":0,"ask_without_passages":false},"models":{"active":"","folders":[]},"appearance":{"theme":"system"}}', '[]', 'stop', 52, 0, 30, 52.13800900003207, 58186.54606654913, 24.580969999988156, 0.061805999962416536, 0.498397000001205, 2.4831350000340535, 55.33186200000273, 2, 1, 1, 2, 2, 6, 0, 'supported', -0.5, -0.5);
INSERT INTO "trace" ("id", "session_id", "created_ms", "status", "source", "error", "question", "answer", "collection_id", "collection", "version_id", "version_number", "version_fingerprint", "model", "model_sha256", "prompt_name", "prompt_fingerprint", "prompt", "settings", "fallbacks", "finish_reason", "prompt_tokens", "cached_tokens", "completion_tokens", "first_token_ms", "tokens_per_s", "retrieve_ms", "read_ms", "generate_ms", "check_ms", "total_ms", "candidate_count", "passage_count", "passage_documents", "searched_chunks", "searched_documents", "claim_count", "flag_count", "worst_verdict", "min_logprob", "mean_logprob") VALUES ('e2ee3b7a7bca804983234060a3526448', '09488e2fd9f429348a73560d0ac2761b', 1795760506079, 'nothing found', 'person', '', 'Zzz?', 'Nothing in this collection is close to the question, so the model was not asked.', 1, 'Kitchen', 2, 2, 'e0a89e1f3e1898d70c0203bc51f4cfa973c66e55d0b6a1cc65e58ffed8417d59', '', '', '', '', '', '{"chunking":{"max_tokens":200,"overlap_tokens":24},"retrieval":{"candidates":40,"rrf_k":60,"max_passages":6,"context_tokens":1400,"min_similarity":0.3},"generation":{"context":4096,"max_answer_tokens":256,"temperature":0.0,"top_p":0.95,"seed":42,"repeat_penalty":1.0,"gpu_layers":0,"threads":0,"ask_without_passages":false},"models":{"active":"","folders":[]},"appearance":{"theme":"system"}}', '[]', '', 0, 0, 0, NULL, NULL, 16.23061400005099, NULL, NULL, NULL, 34.2242819999683, 2, 0, 0, 2, 2, 0, 0, '', NULL, NULL);
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (1, 'ac552456028f056151977aa6c12d337a', 'embed', 'EMBEDDING', 17.11954200004584, 17.386963000035394, 'fake');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (2, 'ac552456028f056151977aa6c12d337a', 'dense', 'RETRIEVER', 17.403056000034667, 22.567309999999452, '');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (3, 'ac552456028f056151977aa6c12d337a', 'lexical', 'RETRIEVER', 22.585169000080896, 23.607263000030798, 'BM25');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (4, 'ac552456028f056151977aa6c12d337a', 'fuse', 'CHAIN', 23.62687000004371, 24.426843000014742, 'RRF k=60');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (5, 'ac552456028f056151977aa6c12d337a', 'load', 'CHAIN', 25.41864700003771, 25.43458399998144, 'SmolLM2-135M-Instruct.Q4_1.gguf');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (6, 'ac552456028f056151977aa6c12d337a', 'pack', 'PROMPT', 25.792154999976447, 33.899547000032726, 'prompt answer');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (7, 'ac552456028f056151977aa6c12d337a', 'read prompt', 'LLM', 33.94574399999328, 34.125713999969776, '0 tokens cached');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (8, 'ac552456028f056151977aa6c12d337a', 'generate', 'LLM', 34.125713999969776, 34.26212600004419, '5 tokens');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (9, 'ac552456028f056151977aa6c12d337a', 'check', 'EVALUATOR', 34.32439100004103, 35.7388310000033, 'grounding detector');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (10, '209c4cc6f63f33325d062344eb6fd611', 'embed', 'EMBEDDING', 20.59552100001838, 20.871535999958724, 'fake');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (11, '209c4cc6f63f33325d062344eb6fd611', 'dense', 'RETRIEVER', 20.88683099998434, 39.00348699994538, '');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (12, '209c4cc6f63f33325d062344eb6fd611', 'lexical', 'RETRIEVER', 39.020301000050495, 40.05511800005479, 'BM25');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (13, '209c4cc6f63f33325d062344eb6fd611', 'fuse', 'CHAIN', 40.08337799996298, 45.10252700004003, 'RRF k=60');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (14, '209c4cc6f63f33325d062344eb6fd611', 'load', 'CHAIN', 45.997536000072614, 46.01222400003735, 'SmolLM2-135M-Instruct.Q4_1.gguf');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (15, '209c4cc6f63f33325d062344eb6fd611', 'pack', 'PROMPT', 46.34529600002679, 52.030008999963684, 'prompt answer');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (16, '209c4cc6f63f33325d062344eb6fd611', 'read prompt', 'LLM', 52.076203000069654, 52.13800900003207, '0 tokens cached');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (17, '209c4cc6f63f33325d062344eb6fd611', 'generate', 'LLM', 52.13800900003207, 52.636406000033276, '30 tokens');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (18, '209c4cc6f63f33325d062344eb6fd611', 'check', 'EVALUATOR', 52.69438100003754, 55.15095199996267, 'grounding detector');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (19, 'e2ee3b7a7bca804983234060a3526448', 'embed', 'EMBEDDING', 17.844939999918097, 18.05663699985871, 'fake');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (20, 'e2ee3b7a7bca804983234060a3526448', 'dense', 'RETRIEVER', 18.067406999875857, 32.135695999954805, '');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (21, 'e2ee3b7a7bca804983234060a3526448', 'lexical', 'RETRIEVER', 32.152493999888065, 33.15656399990985, 'BM25');
INSERT INTO "span" ("id", "trace_id", "name", "kind", "start_ms", "end_ms", "detail") VALUES (22, 'e2ee3b7a7bca804983234060a3526448', 'fuse', 'CHAIN', 33.17457599996487, 34.01702499991188, 'RRF k=60');
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (1, 'ac552456028f056151977aa6c12d337a', 3, 3, 'bread.md', '/documents/bread.md', 'Bread', 'section', NULL, 0, 56, '# Bread

Rye bread needs sourdough and 24 hours of rest.', 14, 1, 0.3872983455657959, 1, 2.4258414527412785e-06, 1, 0.03278688524590164, 1, NULL);
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (2, 'ac552456028f056151977aa6c12d337a', 2, 2, 'tides.txt', '/documents/tides.txt', '', '', NULL, 0, 57, 'The tide at Bremen rises 3.5 metres. Boats leave at noon.', 15, 2, 0.0, NULL, NULL, 2, 0.016129032258064516, NULL, 'similarity 0.00 below 0.30');
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (3, '209c4cc6f63f33325d062344eb6fd611', 2, 2, 'tides.txt', '/documents/tides.txt', '', '', NULL, 0, 57, 'The tide at Bremen rises 3.5 metres. Boats leave at noon.', 15, 1, 0.3585686683654785, 1, 0.9719492949493446, 1, 0.03278688524590164, 1, NULL);
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (4, '209c4cc6f63f33325d062344eb6fd611', 3, 3, 'bread.md', '/documents/bread.md', 'Bread', 'section', NULL, 0, 56, '# Bread

Rye bread needs sourdough and 24 hours of rest.', 14, 2, 0.0, NULL, NULL, 2, 0.016129032258064516, NULL, 'similarity 0.00 below 0.30');
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (5, 'e2ee3b7a7bca804983234060a3526448', 2, 2, 'tides.txt', '/documents/tides.txt', '', '', NULL, 0, 57, 'The tide at Bremen rises 3.5 metres. Boats leave at noon.', 15, 1, 0.0, NULL, NULL, 1, 0.01639344262295082, NULL, 'similarity 0.00 below 0.30');
INSERT INTO "tracehit" ("id", "trace_id", "chunk_id", "document_id", "document", "path", "place", "place_kind", "place_number", "start", "end", "text", "token_count", "dense_rank", "dense_score", "bm25_rank", "bm25_score", "fused_rank", "fused_score", "marker", "dropped") VALUES (6, 'e2ee3b7a7bca804983234060a3526448', 3, 3, 'bread.md', '/documents/bread.md', 'Bread', 'section', NULL, 0, 56, '# Bread

Rye bread needs sourdough and 24 hours of rest.', 14, 2, 0.0, NULL, NULL, 2, 0.016129032258064516, NULL, 'similarity 0.00 below 0.30');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text") VALUES (1, 'ac552456028f056151977aa6c12d337a', 'Rye bread needs sourdough [1].', 0, 30, 'supported', 0.00041814356242573917, '', 1, 9, 56, 'Rye bread needs sourdough and 24 hours of rest.');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text") VALUES (2, '209c4cc6f63f33325d062344eb6fd611', 'The boat leaves at noon.', 0, 24, 'supported', 0.015653524400164456, '', 1, 37, 57, 'Boats leave at noon.');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text") VALUES (3, '209c4cc6f63f33325d062344eb6fd611', 'The boat leaves at noon.', 25, 49, 'supported', 0.015653524400164456, '', 1, 37, 57, 'Boats leave at noon.');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text") VALUES (4, '209c4cc6f63f33325d062344eb6fd611', 'The boat leaves at noon.', 50, 74, 'supported', 0.015653524400164456, '', 1, 37, 57, 'Boats leave at noon.');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text") VALUES (5, '209c4cc6f63f33325d062344eb6fd611', 'The boat leaves at noon.', 75, 99, 'supported', 0.015653524400164456, '', 1, 37, 57, 'Boats leave at noon.');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text") VALUES (6, '209c4cc6f63f33325d062344eb6fd611', 'The boat leaves at noon.', 100, 124, 'supported', 0.015653524400164456, '', 1, 37, 57, 'Boats leave at noon.');
INSERT INTO "claim" ("id", "trace_id", "text", "start", "end", "verdict", "score", "reason", "evidence_marker", "evidence_start", "evidence_end", "evidence_text") VALUES (7, '209c4cc6f63f33325d062344eb6fd611', 'The boat leaves at noon.', 125, 149, 'supported', 0.015653524400164456, '', 1, 37, 57, 'Boats leave at noon.');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (1, 1795760503985, 'collection made', 'Kitchen', '');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (2, 1795760504176, 'version made', 'Kitchen', 'version 1: Added 2');
INSERT INTO "auditevent" ("id", "created_ms", "action", "subject", "detail") VALUES (3, 1795760505772, 'version made', 'Kitchen', 'version 2: Replaced 1');
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
PRAGMA user_version = 1;
