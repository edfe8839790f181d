#include "runtime/run.hpp"

#include <sbx/run.hpp>

#include "api/failure.hpp"
#include "base/json.hpp"
#include "runtime/settings.hpp"

namespace sbx {

Outcome<RunOptions> configured_run_options() {
  const Result<runtime::Settings> settings = runtime::load_settings();
  if (!settings) {
    return api::to_failure(settings.error());
  }
  RunOptions options;
  options.network = settings->network.value_or(options.network);
  options.init = settings->init;
  options.overlay = settings->overlay.value_or(options.overlay);
  return options;
}

Outcome<int> run(const RunOptions& options) { return api::to_outcome(runtime::run(options)); }

Outcome<std::string> create_container(const RunOptions& options) {
  return api::to_outcome(runtime::create(options));
}

Outcome<std::string> run_detached(const RunOptions& options) {
  return api::to_outcome(runtime::run_detached(options));
}

Outcome<std::string> plan(const RunOptions& options) {
  const Result<Json> planned = runtime::plan_only(options);
  if (!planned) {
    return api::to_failure(planned.error());
  }
  return dump_json(*planned, 2);
}

Outcome<RunOptions> shell_options(RunOptions options) {
  return api::to_outcome(runtime::with_shell_defaults(std::move(options)));
}

}  // namespace sbx
