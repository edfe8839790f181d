#pragma once

// The verbs of the command line: one file cmd_*.cpp each, which parses, calls the library and prints.

#include <string>
#include <string_view>
#include <vector>

#include <sbx/outcome.hpp>

namespace sbx::cli {

/// What stands before the verb.
struct GlobalOptions {
  std::string root;  // --root DIR
};

/// The words behind the verb.
using Words = std::vector<std::string>;

struct Verb {
  std::string_view name;
  std::string_view summary;
  int (*run)(const GlobalOptions&, const Words&);
};

/// In the order of `sbx --help`.
const std::vector<Verb>& verbs();

int cmd_attach(const GlobalOptions& global, const Words& words);
int cmd_container(const GlobalOptions& global, const Words& words);
int cmd_cp(const GlobalOptions& global, const Words& words);
int cmd_create(const GlobalOptions& global, const Words& words);
int cmd_doctor(const GlobalOptions& global, const Words& words);
int cmd_events(const GlobalOptions& global, const Words& words);
int cmd_exec(const GlobalOptions& global, const Words& words);
int cmd_export(const GlobalOptions& global, const Words& words);
int cmd_history(const GlobalOptions& global, const Words& words);
int cmd_image(const GlobalOptions& global, const Words& words);
int cmd_images(const GlobalOptions& global, const Words& words);
int cmd_import(const GlobalOptions& global, const Words& words);
int cmd_info(const GlobalOptions& global, const Words& words);
int cmd_inspect(const GlobalOptions& global, const Words& words);
int cmd_kill(const GlobalOptions& global, const Words& words);
int cmd_load(const GlobalOptions& global, const Words& words);
int cmd_login(const GlobalOptions& global, const Words& words);
int cmd_logout(const GlobalOptions& global, const Words& words);
int cmd_logs(const GlobalOptions& global, const Words& words);
int cmd_pause(const GlobalOptions& global, const Words& words);
int cmd_port(const GlobalOptions& global, const Words& words);
int cmd_ps(const GlobalOptions& global, const Words& words);
int cmd_pull(const GlobalOptions& global, const Words& words);
int cmd_push(const GlobalOptions& global, const Words& words);
int cmd_rename(const GlobalOptions& global, const Words& words);
int cmd_restart(const GlobalOptions& global, const Words& words);
int cmd_rm(const GlobalOptions& global, const Words& words);
int cmd_rmi(const GlobalOptions& global, const Words& words);
int cmd_run(const GlobalOptions& global, const Words& words);
int cmd_save(const GlobalOptions& global, const Words& words);
int cmd_search(const GlobalOptions& global, const Words& words);
int cmd_shell(const GlobalOptions& global, const Words& words);
int cmd_start(const GlobalOptions& global, const Words& words);
int cmd_stats(const GlobalOptions& global, const Words& words);
int cmd_stop(const GlobalOptions& global, const Words& words);
int cmd_system(const GlobalOptions& global, const Words& words);
int cmd_tag(const GlobalOptions& global, const Words& words);
int cmd_top(const GlobalOptions& global, const Words& words);
int cmd_unpause(const GlobalOptions& global, const Words& words);
int cmd_untag(const GlobalOptions& global, const Words& words);
int cmd_version(const GlobalOptions& global, const Words& words);
int cmd_volume(const GlobalOptions& global, const Words& words);
int cmd_wait(const GlobalOptions& global, const Words& words);

}  // namespace sbx::cli
