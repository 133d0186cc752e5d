-- What runs printed: store/console.py. A row a block of lines, of one attempt and writer, numbered from first_line on. seq: of the last of
-- the writer's statements that is in it. payload: zlib of JSON [streams, times, texts joined by line feeds].
CREATE TABLE console (
    run INTEGER NOT NULL,
    first_line INTEGER NOT NULL,
    line_count INTEGER NOT NULL,
    char_count INTEGER NOT NULL,
    attempt TEXT NOT NULL,
    writer TEXT NOT NULL,
    seq INTEGER NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (run, first_line)
);
CREATE INDEX console_of_writer ON console (run, writer, seq);
