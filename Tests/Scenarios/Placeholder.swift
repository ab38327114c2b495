// The scenarios land with their transcripts.
