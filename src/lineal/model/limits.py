"""Every bound of the system, with the sum that justifies it. Nothing else in the code invents one."""

from __future__ import annotations

KIB = 1024
MIB = 1024 * KIB

# -- names and values ---------------------------------------------------------------------------
RUN_ID_MAX_CHARS = 256  # MLflow's bound, so that its ids fit
TENANT_MAX_CHARS = 63  # a DNS label, so that a tenant can be part of a host name
NAME_MAX_BYTES = 1 * KIB  # metric, param, tag: 4x MLflow's 250 characters even when all are 4-byte UTF-8
SHORT_NAME_MAX_LENGTH = (
    256  # bytes of a dataset's digest and context, a logged model's id: below 2,704 together, see LABELS
)
LABELS_MAX_BYTES = 1 * KIB  # of a series, as JSON; with its name below the 2,704 of PostgreSQL's index rows
EXPERIMENT_NAME_MAX_CHARS = 255  # api.md, POST /experiments
DESCRIPTION_MAX_CHARS = 1_000  # api.md, POST /experiments
PARAM_VALUE_MAX_BYTES = 64 * KIB  # 10x MLflow's 6,000; longer values are files
TAG_VALUE_MAX_BYTES = 64 * KIB  # 8x MLflow's 8,000
NOTE_MAX_BYTES = 1 * MIB  # a long page of Markdown
DOCUMENT_MAX_BYTES = 4 * MIB  # a JSON document; larger ones are artifacts
DOCUMENT_MAX_DEPTH = 100  # each level is two calls of Python's, which gives up at a thousand
CAPTURE_MAX_BYTES = 1 * MIB  # of one part, as JSON: 10,000 packages or files by name; bytes are artifacts
CAPTURE_PARTS_MAX_COUNT = 10_000  # of one attempt: what each of 10,000 ranks used, and a dozen others
CAPTURES_ANSWER_MAX_BYTES = 16 * MIB  # of captures in one answer, as JSON; then at least the next one's 1 MiB
CONSOLE_LINE_MAX_CHARS = 16 * KIB  # of one line of a console; a longer one goes on as the next line
CONSOLE_BLOCK_CHARS = 64 * KIB  # of a row of lines: packed in 1 ms, unpacked in 0.2 ms; also the lines of one record
CONSOLE_RECORD_CHARS = 16 * KIB  # of lines in one record: log() may wait for it, 0.1 ms
CONSOLE_INTERVAL_S = 0.25  # how often what was printed is recorded: an eye that follows it asks for no more
CONSOLE_STOP_WAIT_S = 5.0  # for what was printed, when a run finishes: a reader that stands still must not keep it
CONSOLE_IDLE_S = 5.0  # the helper waits so long for the next run of a process: starting one takes 20 ms
CONSOLE_WAITING_MAX_CHARS = 64 * MIB  # written by Python and not recorded yet; beyond, lines are left out and counted
CONSOLE_MAX_BYTES = 256 * MIB  # that one process records; beyond, only the last lines are kept, and the others counted
CONSOLE_TAIL_LINES = 2_000  # which those are: what failed is said at the end
USED_FILES_MAX_COUNT = 10_000  # of a folder of artifacts that a run takes: a record each
FETCHED_COMPARED_MAX_BYTES = (
    64 * MIB
)  # a fetched file that a process compares with its digest before use: 0.1 s; of others the size
FETCHED_DRAFT_KEPT_S = 86_400.0  # what a killed process had begun to fetch; nobody who lives is silent for so long
DIGEST_CACHED_MIN_BYTES = 64 * KIB  # smaller files are read again: that takes no longer than to look them up
DIGEST_CACHE_MAX_BYTES = 32 * MIB  # 200,000 files; then it begins anew
DIGEST_CACHE_SETTLED_S = (
    3.0  # a file that was changed within so long may change again with the same times: FAT counts by two seconds
)
DIGEST_THREADS_MAX_COUNT = 16  # files, or columns, digested at a time: disks give no more
DATASET_LINKS_MAX_COUNT = 10_000  # links to folders followed below one folder of data: where they link each other
DATASET_ITEMS_MAX_COUNT = 100_000  # items of a torch dataset that are looked at; a digest says of how many it is
DATASET_COLUMNS_MAX_COUNT = 2_000  # named in a dataset's schema: 100 KB; all are digested and counted
DATASET_ROWS_COUNTED_BYTES = 1024 * MIB  # of a text file whose rows are counted: half a second
TRACEBACK_MAX_BYTES = 64 * KIB  # the tail of a traceback says what failed
MODEL_NAME_MAX_CHARS = 256  # of a registered model: MLflow's column
MODEL_ALIAS_MAX_CHARS = 255  # MLflow's bound
MODEL_TAG_VALUE_MAX_BYTES = (
    400 * KIB
)  # of registered models and versions: MLflow's 100,000 characters, all of four bytes
MODEL_SOURCE_MAX_CHARS = 4_096  # where a version says that it comes from: eight times MLflow's 500
MODEL_FILES_MAX_COUNT = 10_000  # of a version, named in its record: 1 MiB of a frame
LAYOUTS_MAX_COUNT = 256  # sets of names logged together; beyond, a call of many names is recorded name by name
SERIES_PER_RUN_MAX_COUNT = 200_000  # 2x the promise of 100,000 metric names; about 60 MB of client memory

# -- reproduction -------------------------------------------------------------------------------
REPRODUCED_ARCHIVE_MAX_BYTES = 4 * 1024 * MIB  # unpacked: far above what is captured, and far below a full disk
REPRODUCED_ARCHIVE_MAX_COUNT = 100_000  # files of such an archive
REPRODUCED_DATA_MAX_BYTES = 8 * 1024 * MIB  # of one dataset, digested by a dry run: some ten seconds
REPRODUCED_DATA_MAX_COUNT = 100_000  # files looked at for it
REPRODUCTION_METRICS_MAX_COUNT = 2_000  # named in a verdict's document: half of its 4 MiB, names of 1 KiB

# -- models -------------------------------------------------------------------------------------
SAFETENSORS_HEADER_MAX_BYTES = 95 * MIB  # just below the bound of 100,000,000 of the format's own reader
SOURCES_MAX_COUNT = 100  # configurations that a run names as the source of its params
SOURCE_PARAMS_MAX_COUNT = 1_000  # names of params of one of them
CONFIG_FILE_MAX_BYTES = 1 * MIB  # of a configuration file that is kept; what is larger holds data
TRACK_INTERVAL_S = 1.0  # how often a tracked command is listened to; its points are a second late at most
TRACK_DISCOVERY_INTERVAL_S = 3.0  # how often new event files are looked for: a walk through its folders
TRACK_FOLDERS_MAX_COUNT = 10_000  # folders that are looked through for them: a second on a cold disk
TRACK_FILES_MAX_COUNT = 10_000  # pictures and sounds out of event files, an artifact each
TRACK_SPOOL_READ_BYTES = 4 * MIB  # of what one process of the command says of itself, at a time; a line is never longer
EVENT_FILE_READ_BYTES = 4 * MIB  # of a TensorBoard event file at a time: 60,000 scalars
EVENT_MAX_BYTES = 64 * MIB  # one event: a picture or a graph; a larger one is stepped over and counted
TENSOR_NUMBERS_MAX_COUNT = 1_000_000  # of one summary: a histogram has hundreds; what names more is no summary
MODEL_EXAMPLE_INLINE_BYTES = 16 * KIB  # an example of a few rows is kept in the record; a longer one is a file
MODEL_EXAMPLE_MAX_BYTES = 4 * MIB  # a few rows say what goes in; as DOCUMENT_MAX_BYTES
WHY_RUNS_LOOKED_AT_COUNT = 200  # newest runs of an experiment whose metrics say which of them is its own: two questions
WHY_RIVALS_MAX_COUNT = 10  # runs that a version was chosen over: as many as somebody reads
WHY_TRANSITIONS_MAX_COUNT = 10_000  # of a model, among which those of a version are looked for
MODELS_TRACED_MAX_COUNT = (
    4  # loaded models kept alive so that `serving_tags` knows them; others are known by weak references
)
PARAMS_PER_RUN_MAX_COUNT = (
    50_000  # the largest configurations have thousands; a few MB where a run is shown, half a second to write
)
TAGS_PER_RUN_MAX_COUNT = 20_000  # a table of runs carries all of them; more is data, for a document or an artifact

# -- journal ------------------------------------------------------------------------------------
FRAME_MAX_BYTES = 8 * MIB  # two documents; a reader may refuse a larger length as damage
SEGMENT_FIRST_BYTES = 64 * KIB  # a short run needs 4 to 8 KiB and is cut when it finishes
SEGMENT_INLINE_BYTES = 256 * KIB  # made within log() when none is ready: 1 ms, against 20 ms for a full one
SEGMENT_MAX_BYTES = 8 * MIB  # 70,000 calls of 10 metrics; a tail of this size is read in 10 ms
SEGMENT_GROWTH = 8  # 64 KiB, 512 KiB, 4 MiB, 8 MiB: a long run reaches full size after 4.6 MB
PENDING_MAX_BYTES = 4 * MIB  # kept in memory while the disk refuses: minutes of ordinary logging
SYNC_INTERVAL_S = 1.0  # a power cut loses at most this much of the points
BARRIER_DELAY_S = 0.05  # params wait this long for a finish to share its sync: short runs pay one
HEAL_INTERVAL_S = 1.0  # how often a refused disk is tried again; the promise is 5 s
FINISH_SYNC_TIMEOUT_S = 30.0  # a disk that does not answer must not keep a process for ever
SIGNAL_SYNC_TIMEOUT_S = 0.5  # status on disk within this after SIGTERM

# -- resources ----------------------------------------------------------------------------------
RESOURCES_BEGIN_S = 0.25  # after a run began: what rates are counted from is read, and the driver of GPUs asked
RESOURCES_SHARED_S = (
    0.005  # a run that begins so soon after another ended counts from that one's end: half a tick of the CPU's clock
)
RESOURCES_FIRST_S = 1.0  # the first sample is said then; of a run that ended before, only totals
RESOURCES_LOOK_INTERVAL_S = 5.0  # a look costs 0.2 ms: nobody notices, and few peaks of memory are shorter
RESOURCES_SAY_SHARE = 200  # of a run's time between two samples that are said: 200 in its first 17 minutes ...
RESOURCES_SAY_MAX_S = 60.0  # ... and in the end one a minute: 10,000 in a week, under 1 MB
RESOURCES_TOTALS_INTERVAL_S = 60.0  # how old the totals of a killed run may be, ...
RESOURCES_TOTALS_SHARE = 100  # ... or a hundredth of its time, if that is more: 700 statements in a week
RESOURCES_WAIT_S = 0.5  # for the thread that samples, at a run's end: a driver that hangs must not keep it
TREE_PROCESSES_MAX_COUNT = 4_096  # of a run that are looked at: 30 us each

# -- capture ------------------------------------------------------------------------------------
COMMAND_MAX_BYTES = 64 * KIB  # a command line, as it is kept: half of what Linux takes for one argument
CAPTURE_VARIABLE_MAX_BYTES = 4 * KIB  # a variable of the environment, as it is kept: a long search path
CAPTURE_FORK_WAIT_S = 1.0  # a fork waits so long for modules that are loaded beside it: 20 ms, on a busy machine
CAPTURE_FINISH_WAIT_S = 15.0  # finish() waits so long for what is being recorded: git in a cold tree of 100,000 files
CAPTURE_SIGNAL_WAIT_S = 2.0  # ... after SIGTERM, whose sender kills soon
CONDA_TIMEOUT_S = 60.0  # `conda env export` takes seconds, on a network's disk many
CONDA_EXPORT_MAX_BYTES = 1 * MIB  # ten times a large environment's
CODE_REUSE_S = 2.0  # runs that begin within it share one look at the code, if nothing that it looked at has changed
CODE_AT_ONCE_MAX_COUNT = 100  # of those below, that `init` looks at itself: 0.2 ms; more are looked at behind it
CODE_WATCHED_MAX_COUNT = 2_000  # files whose times say so: 3 ms; with more each run looks anew
CODE_HIDDEN_MAX_COUNT = (
    1_000  # files that git was told not to look at and that are looked at all the same; names of a command
)
GIT_TIMEOUT_S = 30.0  # of all questions to git together
GIT_REST_S = 300.0  # ... after which a process asks no more for so long: each of its runs would wait for it
GIT_ANSWER_MAX_BYTES = 32 * MIB  # names of 300,000 files
PATCH_MAX_BYTES = 8 * MIB  # changes not committed: a hundred times a day's work; beyond, data were changed
PATCH_HASHED_MAX_BYTES = 128 * MIB  # of larger ones the digest is worked out: 0.1 s for the digest, 1 s of git's
SOURCE_FILE_MAX_BYTES = 1 * MIB  # of source that git does not know; larger ones are data
SOURCE_FILES_MAX_BYTES = 16 * MIB  # ... of all of them
SOURCE_FILES_MAX_COUNT = 2_000  # ... 2,000 names are 200 KB of the capture
SOURCE_HASHED_MAX_BYTES = 64 * MIB  # of code that is left out the digest is worked out: 50 ms
LEFT_OUT_NAMED_COUNT = 200  # files that were left out and are named; the rest is counted
PACKAGES_MAX_COUNT = 5_000  # of an environment, said by name: ten times a large one; the others stand in its lock file
PACKAGES_READ_MAX_COUNT = 50_000  # ... that are looked at: a second; more are counted

# -- sending ------------------------------------------------------------------------------------
UPLOAD_INTERVAL_S = 1.0  # how often what was logged is sent: on the page within 2 s
UPLOAD_IDLE_S = 5.0  # a writer that says nothing asks so often whether it should stop, and is known to live
UPLOAD_PIECE_BYTES = 4 * MIB  # of a journal in one request: 0.2 s of work for the server, one of 2 cores
UPLOAD_PIECE_MIN_BYTES = 64 * KIB  # where something between here and the server takes no more
REQUEST_TIMEOUT_S = 30.0  # without an answer for so long, a request is made again
REPLY_MAX_BYTES = 256 * MIB  # of one answer kept in memory: the 4,000,000 exact points of one are 128 MB
RETRY_FIRST_S = 0.1  # after the first fault; twice as long after each other, and at random between half of that and all
RETRY_MAX_S = 30.0  # a server that is back is noticed within this
RETRY_DRAIN_MAX_S = 1.0  # ... and within this while somebody waits for it
RETRY_REFUSED_S = 60.0  # what only a person can mend (a token) is tried again so often
RETRY_AFTER_MAX_S = 120.0  # of what a server may ask for
FINISH_DRAIN_S = 30.0  # finish() waits so long for the server to have everything
UNREACHED_DRAIN_S = (
    5.0  # ... and so long for one that this process has never had a connection to, unless somebody said how long
)
UNREACHED_AGAIN_S = 1.0  # ... where it had waited for that one in vain before: a try
LOST_SERVER_S = (
    30.0  # a server that was there has so long to come back (a new version, a restart), before finish() or within it
)
SIGTERM_DRAIN_S = 8.0  # ... and a SIGTERM so long: supervisors kill after 10 s
SYNC_TRIES_MAX_COUNT = 10  # in a row, of one request: a minute, with its waits
SYNC_FIRST_TRIES_MAX_COUNT = 5  # ... of a server that has not answered yet: 2 s
STATEMENT_TRIES_MAX_COUNT = 3  # of a tag, a deletion ...: somebody waits for the answer
WRITER_LEASE_S = 90  # a writer that a server has not heard of for so long is lost, until it is heard of again
WRITER_LEASE_RENEW_S = 30.0  # how often one that logs nothing is heard of
STOP_LOOK_INTERVAL_S = 1.0  # how often `should_stop` looks; what asks in between costs 0.1 us
STOP_ASK_INTERVAL_S = 5.0  # how often a server is asked for it: two questions to its store each
CLEAR_SENT_INTERVAL_S = 60.0  # how often a process looks what of it may go
SENT_MAX_AGE_S = 7 * 86_400.0  # what a server has acknowledged is kept so long, in case it loses its last days
SENT_MAX_BYTES = 1024 * MIB  # ... and of that no more than this

# -- ingest and store ---------------------------------------------------------------------------
REFUSED_RETRY_S = (
    5.0  # a journal that could not be applied (no memory, a fault of ours) is tried again, not at every question
)
INGEST_LOCK_WAIT_S = 2.0  # a query waits this long for another's ingest, then reads a snapshot
INGEST_TRANSACTION_BYTES = 64 * MIB  # journal bytes one transaction applies: 1 s of work at most
BLOCK_ROWS = 65_536  # rows of a full block: 512 KiB raw a column, decoded in 0.2 ms
COLUMN_MAX_ROWS = 64 * BLOCK_ROWS  # a column of a few bytes may stand for so many rows: 32 MiB, no bomb
COLUMN_SMALL_ROWS = 64  # from here on pcodec earns its 27 bytes of header
STATS_STACK_ROWS = 4_096  # shorter series of a block are summed up together; longer ones gain nothing from the copy
BLOCK_MIN_ROWS = 1_024  # fewer rows than this stay in a fresh batch: a chunk costs 100 bytes of row
FRESH_BATCHES_MAX_COUNT = 32  # fresh batches of a run before they are merged: a read decodes so many
# Of wide batches: to fold them costs by the series (0.1 ms for ten, 100 ms for 1,000), to read one only by its bytes.
FRESH_WIDE_BATCHES_MAX_COUNT = 128
FRESH_WIDE_BYTES = 4 * KIB
PYRAMID_MAX_BUCKETS = 2_048  # more than the pixels of a chart; under 0.5 bytes a point from 100,000 points on
AUDIT_LINK_MAX_COUNT = 10_000  # audit rows a tenant linked in one transaction: 0.1 s, for which others wait
AUDIT_LINK_INTERVAL_S = 0.5  # between two rounds of the chainer; the promise is a second
SWEEP_GRACE_S = 86_400.0  # between a file's bytes and the record that names it; a suspended laptop may sleep over night
SWEEP_INTERVAL_S = 21_600.0  # between sweeps of a server's blobs, whichever server does it: each reads every name
MODELS_PAGE_MAX_COUNT = 1_000  # MLflow's bound for a page of registered models
VERSIONS_PAGE_MAX_COUNT = 200_000  # MLflow's bound for a page of model versions
REGISTRY_CHUNK_ROWS = 10_000  # read at a time where a pattern decides: 10 MB; each further turn sorts again
IMPORT_RUNS_COUNT = 100  # that are read, said and counted together: their params and tags are in memory
IMPORT_SEGMENT_BYTES = 4 * MIB  # of one run at a time; to a server, one request
IMPORT_TRANSACTION_BYTES = 16 * MIB  # applied in a folder at a time: half a second, for which others wait
CONSOLE_PAGE_MAX_COUNT = 10_000  # lines of one answer
CONSOLE_ANSWER_MAX_BYTES = (
    16 * MIB
)  # of lines in one answer, as JSON, in which a letter may take six; then one more line
CONSOLE_SEARCHED_MAX_CHARS = 64 * MIB  # that one search looks at, half a second's work; whoever asks goes on from there
RUNS_PAGE_MAX_COUNT = 50_000  # MLflow's bound for a page of runs

# -- server -------------------------------------------------------------------------------------
REQUEST_BODY_MAX_BYTES = 8 * MIB  # a note of 1 MiB with every character escaped, and room
QUERY_STRING_MAX_BYTES = 32 * KIB  # a filter in an address; longer ones go into a body
LIST_PAGE_MAX_COUNT = 1_000  # api.md: limit 1-1000
COMPARE_MAX_COUNT = 100  # api.md: run_ids 2-100
REQUEST_RUNS_MAX_COUNT = 500  # run ids in one request: more runs than anybody looks at side by side
REQUEST_SERIES_MAX_COUNT = 500  # metric names in one request
GROUP_FIELDS_MAX_COUNT = 16  # fields to group by, or to sum up: a table of so many columns is wide
SERIES_POINTS_MAX_COUNT = 20_000  # rows of a summed-up series: five screens of pixels
SERIES_ANSWER_MAX_ROWS = 4_000_000  # rows of one answer: 96 MB of exact points
KEPT_ROWS_MAX_BYTES = 16 * MIB  # encoded runs that the server keeps: 10,000 of 20 params and metrics
BATCH_BODY_MAX_BYTES = 32 * MIB  # a log-batch of 200,000 points
JOURNAL_BODY_MAX_BYTES = 16 * MIB  # a post of a journal, unpacked: two of its largest frames
MULTIPART_HEADER_MAX_BYTES = 16 * KIB  # of one part of a form
COMMIT_MAX_COUNT = 512  # requests that one commit makes durable: a burst of 500 starting runs
COMPACTION_APPENDS = 16  # requests with points of one run from one look at what has gathered to the next
COMPACTION_POINTS = (
    4_000  # ... of which so many are folded in one transaction, for which requests wait: 10 ms; one run at least
)
COMPACTION_RUNS_MAX_COUNT = 100_000  # runs whose requests are counted: 20 MB
COMMIT_WAITING_MAX_COUNT = 10_000  # requests that wait for theirs; beyond, 503 and come again
COMMIT_PATIENCE_S = 10.0  # a database that was restarted is back by then; clients wait 30 s or more
COMMIT_RETRY_S = 0.1  # between tries to reach it
LEASE_MAX_S = 3_600  # how long a writer may promise to be silent; the SDK's leases are of 90 s
LEASE_GRACE_S = 90.0  # after a server's start, or a time in which it could not write: its writers' turn comes first
LEASE_LOOK_S = 5.0  # how often leases that have run out are looked for
RUNS_KNOWN_MAX_COUNT = 10_000  # runs whose params the server keeps at hand, to refuse what contradicts them
ANSWER_KEY_MAX_CHARS = 255  # an Idempotency-Key: four times a UUID
ANSWER_MAX_AGE_S = 86_400.0  # how long its answer is kept; no client repeats a request for longer
HEAD_MAX_AGE_S = 1.0  # of an audit chain's head as it is handed out: signed once, not with every answer
LIVE_INTERVAL_S = 0.1  # how often the folder is looked at while somebody watches
LIVE_EVENT_INTERVAL_S = 0.25  # changes are gathered between two events: four repaints a second are enough for an eye
LIVE_HEARTBEAT_S = 15.0  # proxies and browsers give up on a silent connection after 30 to 60 s
STOP_DRAIN_S = 8  # requests in flight have so long once it was told to stop: supervisors kill after 10 s
READY_KEPT_S = 1.0  # that it is ready is found out so often, whoever asks: it writes to the disks
DISK_PROBE_BYTES = 256 * KIB  # ... so much: a page of a log's worth of room is no room
LOG_WAITING_MAX_COUNT = 10_000  # lines of the log that nobody has written yet; beyond, they are left out and counted
LIVE_WATCHERS_MAX_COUNT = 256  # open pages; each holds a socket

RESERVE_BYTES = 1 * MIB  # of the database's disk kept for deleting: 250 pages, thousands of runs put away
RESERVE_RETRY_S = 0.5  # how often that room is looked for again once it was needed
CONNECTIONS_MAX_COUNT = 2_000  # four times the burst of 500 runs; 30 KB each
HEAD_MAX_BYTES = 64 * KIB  # of a request: twice its query string; what browsers and proxies send beside is 8 KiB
HEAD_TIMEOUT_S = 30.0  # a connection may rest so long between requests, and a head take so long
BODY_GRACE_S = 30.0  # a body may let itself be waited for so long in all, and ...
BODY_SECOND_BYTES = 4 * KIB  # ... a second more for each so many bytes: half of what a modem of 1998 sends
BODY_BATCH_BYTES = (
    1 * MIB
)  # of a body that is a file: gathered while as much is hashed and written; two an upload are held
BODY_UNREAD_MAX_BYTES = 64 * MIB  # of a refused body: whoever sends it whole first reads the refusal then
READER_TIMEOUT_S = 60.0  # an answer of which nothing is read for so long is given up: 64 KiB a minute are enough

# -- webhooks -----------------------------------------------------------------------------------
WEBHOOKS_MAX_COUNT = 100  # of a tenant: each change of its registry is written down once for each that asks for it
WEBHOOK_NAME_MAX_CHARS = 63  # MLflow's bound
WEBHOOK_URL_MAX_CHARS = 2_000  # what servers and proxies take of an address
WEBHOOK_DESCRIPTION_MAX_CHARS = 1_000  # as other descriptions
WEBHOOK_SECRET_MAX_CHARS = 1_000  # of random letters, ten times more than an HMAC of SHA-256 can use
WEBHOOK_BODY_MAX_BYTES = 256 * KIB  # of what a webhook is told; with more, it is told which thing it is about
WEBHOOK_WAITING_MAX_COUNT = 10_000  # deliveries of a tenant that wait; the oldest expire for new ones
WEBHOOK_MAX_AGE_S = 86_400.0  # a delivery that no server could try for so long expires: nobody acts on it any more
WEBHOOK_KEPT_S = 604_800.0  # how long it can be seen what became of a delivery
WEBHOOK_KEPT_MAX_COUNT = 10_000  # ... of a tenant, the newest
WEBHOOK_RETRY_AFTER_MAX_S = 600.0  # a receiver that asks for more time than this is tried all the same
WEBHOOK_TIMEOUT_S = 10.0  # for one try, from the name to the last byte of the answer
WEBHOOK_CONNECT_S = 5.0  # ... of which so long for one address
WEBHOOK_NAMES_MAX_COUNT = 16  # names looked up at a time: some name servers never answer
WEBHOOK_LEASE_S = 30.0  # a try that a server has begun is its own for so long, three times what one may take
WEBHOOK_ANSWER_MAX_BYTES = 16 * KIB  # of an answer's body that is read: it says why something was refused
WEBHOOK_THREADS_COUNT = 8  # tries at a time of a server ...
WEBHOOK_TENANT_CLAIMS_MAX_COUNT = 6  # ... of one tenant, so that there is room for another's
WEBHOOK_CLAIMS_MAX_COUNT = 2  # ... of one webhook, whoever tries: a slow receiver keeps to itself
WEBHOOK_LOOK_S = 5.0  # how often it is looked for what others have left
WEBHOOK_GAP_S = 0.25  # between two looks: changes that come together are claimed together
WEBHOOK_TESTS_MAX_COUNT = 4  # tests of webhooks at a time; beyond, 503
WEBHOOK_STOP_S = 2.0  # how long a server that ends waits for tries under way

# -- people -------------------------------------------------------------------------------------
USER_NAME_MAX_CHARS = 128  # an address of mail fits
TOKEN_NAME_MAX_CHARS = 100  # what it is for, in a few words
PASSWORD_MIN_CHARS = 10  # beyond guessing at the rate below; longer than the 8 that NIST SP 800-63B asks for at least
SECRETS_BODY_MAX_BYTES = 16 * KIB  # of a request with a password in it: every character escaped, and room
PASSWORD_MAX_BYTES = 1_024  # a page of words; hashing more would be work for nothing
PASSWORDS_HASHED_MAX_COUNT = 2  # at a time: Argon2 takes 64 MiB and 50 to 100 ms for each
GUESSES_MAX_COUNT = 10  # wrong passwords of a user within GUESSES_WINDOW_S; then 429
GUESSES_ADDRESS_MAX_COUNT = 100  # of one address, behind which a whole team may sit
GUESSES_WINDOW_S = 300.0  # 2,900 guesses a day of one user: years for a password of 10 characters
GUESSED_MAX_COUNT = 10_000  # users and addresses remembered for it; the oldest are forgotten
SESSION_MAX_AGE_S = 604_800.0  # a week after signing in, a browser signs in again
SESSIONS_PER_USER_MAX_COUNT = 20  # browsers of one person; the oldest is signed out
TOKEN_MAX_AGE_S = 31_622_400.0  # 366 days: what nobody renews ends
TOKENS_PER_USER_MAX_COUNT = 200  # that still count
TOKEN_USED_INTERVAL_S = 3_600.0  # last use is kept to the hour, so that reading costs no writes
PEOPLE_KEPT_S = 5.0  # who somebody is, without asking the store again: another server's change counts after this
PEOPLE_KEPT_MAX_COUNT = 10_000  # tokens and sessions known so
DEAD_KEPT_S = 2_592_000.0  # an ended token is listed for 30 days

# -- questions ----------------------------------------------------------------------------------
FILTER_MAX_CHARS = 512 * KIB  # a list of 10,000 run ids, quoted, is 360 KiB
FILTER_MAX_DEPTH = 50  # parentheses and NOTs within one another: no person nests so, and no stack ends there
FILTER_COMPARISONS_MAX_COUNT = 256  # each may cost a pass over a million runs: 1 ms; longer lists of values are IN
FILTER_LIST_MAX_COUNT = 10_000  # values of one IN
PATTERN_MAX_CHARS = 1_000  # LIKE and MATCHES; RE2's time is linear, its compiled size grows with the pattern
PATTERN_MEMORY_BYTES = 2 * MIB  # RE2's automata of one pattern; 64 are kept, so 128 MiB whatever is asked
ORDER_KEYS_MAX_COUNT = 8  # a page token carries a value for each
ORDER_TEXT_CHARS = 256  # texts are ordered by their beginning: a page token stays shorter than an address may be
DIFF_RUNS_MAX_COUNT = 10  # side by side on a page; more are compared by their metrics
DIFF_PATCH_MAX_BYTES = (
    4 * MIB
)  # of a run's patch that is read for a difference, and of the patch that it answers: 50,000 lines
DIFF_ARCHIVE_MAX_BYTES = 32 * MIB  # of a run's archive of source files that is read for it, packed and unpacked
DIFF_ARCHIVE_MAX_COUNT = 10_000  # of files in one
DIFF_LINES_MAX_COUNT = 500_000  # of a patch, and of an archive: 40 MB as texts; ten times a large project
DIFF_NAME_MAX_CHARS = 200  # of a fact, with the names that it lies within
DIFF_POINTS_MAX_COUNT = 4_000_000  # read to find where curves part, 100 MB; metrics beyond are named
DIFF_ROWS_MAX_COUNT = 10_000  # of a section: packages, curves
GROUP_KEYS_MAX_COUNT = 8  # as ORDER_KEYS_MAX_COUNT
GROUP_METRICS_MAX_COUNT = 500  # every metric of a wide table; each is a pass over the runs found
GROUPS_PAGE_MAX_COUNT = 10_000  # rows a client can still draw
GROUP_RUN_IDS_MAX_COUNT = 100  # newest runs named in a group; a filter on the group's values finds the others
NAMES_PAGE_MAX_COUNT = 10_000  # of names or values completed
CHANGES_MAX_COUNT = 10_000  # runs named in one answer on what changed; more: the asker starts anew
JSON_LEAVES_MAX_COUNT = 1_000  # searched values of one document; a database row each, so 100 KB of index at most
JSON_MAX_DEPTH = 32  # of a searched value within its document
JSON_TEXT_MAX_CHARS = 1_000  # longer texts of documents are read, not searched
DATASETS_SEARCHED_MAX_COUNT = 100  # of a run, by name: the others are listed, not searched
DATASET_SOURCE_SEARCHED_MAX_CHARS = 1_000  # as JSON_TEXT_MAX_CHARS
DATASET_PROFILE_LISTED_MAX_CHARS = 10_000  # ours has six numbers; MLflow's clients may say 16 MB of anything
DATASET_NAMES_CHUNK_ROWS = 10_000  # read at a time where a search decides: as REGISTRY_CHUNK_ROWS
CODE_TEXT_SEARCHED_MAX_CHARS = 1_000  # a commit, a branch, a remote: as JSON_TEXT_MAX_CHARS
LINEAGE_DEPTH = 10  # links up and down unless asked otherwise: data, run, artifact, run, artifact, version, run ...
LINEAGE_MAX_DEPTH = 50  # a few statements for each
LINEAGE_NODES_COUNT = 300  # unless asked otherwise: more than can be drawn and read
LINEAGE_NODES_MAX_COUNT = 2_000
LINEAGE_ARTIFACTS_COUNT = 10  # of a run that nothing else refers to
LINEAGE_VERSION_FILES_COUNT = 20  # of a model version, as artifacts; a checkpoint in more shards is linked to its run
JSON_PATH_MAX_BYTES = 1 * KIB  # document, keys and dots; as NAME_MAX_BYTES, for it stands in an index as a name does
COLUMNS_MAX_BYTES = 1024 * MIB  # of values kept in memory for search: 60 fields of a million runs
COLUMNS_MAX_AGE_S = (
    900.0  # a field nobody asked for since is dropped; to read it again costs half a second a million runs
)
COLUMNS_MAX_COUNT = 2_000  # of small folders, where bytes bound nothing: a column costs a few KB besides its values
MASKS_MAX_BYTES = 64 * MIB  # of answers to single comparisons, with what they compare with: 64 of a million runs
MASKS_MAX_COUNT = 1_000
SEARCHED_TENANTS_MAX_COUNT = 16  # whose columns are kept; the bound of bytes is for all of them together
