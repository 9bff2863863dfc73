//! What each help text begins with.

pub(super) const ALL: &str = "\
Examples:
  esteira init && esteira run                     write a small pipeline, and run it
  esteira check users.toml                        say everything that is wrong with a pipeline file
  esteira pipe -i users.ndjson -o good.ndjson -- python3 validate.py
  cat users.ndjson | esteira pipe -- jq -c 'select(.age > 17)' > adults.ndjson";

pub(super) const RUN: &str = "\
Examples:
  esteira run
  esteira run users.toml --max-rejects 0.1% --report json=out/report.json
  esteira run users.toml --resume                 go on where a run was cut off
  esteira run users.toml --stage validate         this stage and all that feeds it
  esteira run users.toml --depfile out/users.d    for make: what the outputs were made of
  esteira run users.toml --set 'stages.validate.stall=\"5m\"' --progress plain";

pub(super) const PIPE: &str = "\
Examples:
  esteira pipe -i users.ndjson -o good.ndjson -- python3 validate.py
  esteira pipe -i in.ndjson -o out.ndjson --rejects bad.ndjson --max-rejects 1% -- jq -c .
  printf '{\"a\":1}\\n' | esteira pipe -- jq -c .
  esteira pipe -i in.ndjson -o out.ndjson -j 4 --protocol lines -- jq -c --unbuffered .
  esteira pipe -i table.csv -o sorted.csv --check none -- sort";

pub(super) const REPLAY: &str = "\
Examples:
  esteira replay out/bad.ndjson                   by `esteira.toml`
  esteira replay out/bad.ndjson users.toml        what passes goes to `NAME.replay-RUN.EXT`
  esteira replay out/bad.ndjson.gz users.toml --max-rejects 10";

pub(super) const CHECK: &str = "\
Examples:
  esteira check
  esteira check users.toml --set pipeline.max_rejects=3";

pub(super) const TEST: &str = "\
Examples:
  esteira test                                    all `[[tests]]` of `esteira.toml`
  esteira test users.toml --filter 'without an id'
  esteira test --report junit=out/tests.xml       for GitLab, Jenkins, GitHub
  esteira test users.toml --update                what comes out is right: write it down";

pub(super) const GRAPH: &str = "\
Examples:
  esteira graph
  esteira graph users.toml --format mermaid > users.mmd";

pub(super) const SCHEMA: &str = "\
Examples:
  esteira schema > esteira.schema.json            for editors: `#:schema ./esteira.schema.json`
  esteira schema --format markdown                every key, type and default, for people";

pub(super) const INIT: &str = "\
Examples:
  esteira init                                    here
  esteira init users                              in a folder, which is made
  esteira init users.toml                         under another name
  esteira init --ci github                        and a workflow that runs it
  esteira init --ci make users.toml               and rules for a Makefile";

pub(super) const COMPLETIONS: &str = "\
Examples:
  esteira completions bash > ~/.local/share/bash-completion/completions/esteira
  esteira completions fish > ~/.config/fish/completions/esteira.fish
  eval \"$(esteira completions zsh)\"";

pub(super) const MAN: &str = "\
Examples:
  esteira man | man -l -
  esteira man pipe | man -l -
  esteira man --out ~/.local/share/man/man1       a page for each verb";

pub(super) const DOCTOR: &str = "\
Examples:
  esteira doctor -- jq -c .
  esteira doctor users.toml                       every stage of a pipeline file
  esteira doctor users.toml validate              one of them
  esteira doctor --format json -- python3 check.py";
