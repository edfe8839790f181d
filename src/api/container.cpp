#include <chrono>
#include <ctime>

#include <sbx/container.hpp>

#include "api/container_json.hpp"
#include "api/container_use.hpp"
#include "api/failure.hpp"
#include "api/image_json.hpp"
#include "image/image_filter.hpp"
#include "runtime/attach.hpp"
#include "runtime/container_name.hpp"
#include "runtime/container_stats.hpp"
#include "runtime/container_top.hpp"
#include "runtime/containers.hpp"
#include "runtime/events.hpp"
#include "runtime/exec.hpp"
#include "runtime/lifecycle.hpp"
#include "runtime/log_reader.hpp"
#include "runtime/pause.hpp"
#include "runtime/prepare.hpp"
#include "runtime/run.hpp"
#include "runtime/settings.hpp"

namespace sbx {
namespace {

Container to_public(const std::string& root, const runtime::Container& container) {
  const runtime::ContainerState& state = container.state;
  return {state.id,
          state.name,
          state.image,
          state.command,
          state.labels,
          std::string(runtime::status_word(container)),
          state.exit_code,
          container.running() ? state.init.pid : 0,
          state.created,
          state.started,
          state.finished,
          state.error,
          state.restart,
          state.restarts,
          api::health_of(root, container),
          container.stopped,
          state.image_id};
}

/// A container by its name, and where it lies.
struct Found {
  std::string root;
  runtime::Container container;
};

Result<Found> find(const std::string& given_root, const std::string& name) {
  const std::string root = SBX_TRY(runtime::data_root_of(given_root));
  return Found{root, SBX_TRY(runtime::find_container(root, name))};
}

Outcome<std::monostate> to_done(const Result<void>& result) {
  return result ? Outcome<std::monostate>(std::monostate()) : api::to_failure(result.error());
}

Result<std::vector<Container>> list(const std::string& given_root,
                                    const std::vector<std::string>& filters) {
  const std::string root = SBX_TRY(runtime::data_root_of(given_root));
  const runtime::FilterFacts facts = api::filter_facts(root);
  const runtime::ContainerFilter filter = SBX_TRY(runtime::ContainerFilter::parse(filters, facts));
  std::vector<Container> out;
  for (const runtime::Container& one : SBX_TRY(runtime::list_containers(root))) {
    if (filter.accepts(one)) {
      out.push_back(to_public(root, one));
    }
  }
  return out;
}

Result<void> start(const std::string& root, const std::string& name) {
  const Found found = SBX_TRY(find(root, name));
  (void)SBX_TRY(runtime::start(found.root, found.container.state.id));
  return {};
}

Result<int> start_and_attach(const std::string& root, const std::string& name,
                             const AttachOptions& options) {
  const Found found = SBX_TRY(find(root, name));
  return runtime::start_attached(found.root, found.container, options);
}

Result<int> attach(const std::string& root, const std::string& name, const AttachOptions& options) {
  const Found found = SBX_TRY(find(root, name));
  sys::Fd connection = SBX_TRY(runtime::attach_to(found.root, found.container));
  runtime::Attached attached =
      SBX_TRY(runtime::Attached::prepare(found.root, found.container, options));
  return attached.run(std::move(connection));
}

Result<void> stop(const std::string& root, const std::string& name, std::optional<int> timeout) {
  const Found found = SBX_TRY(find(root, name));
  return runtime::stop_container(found.root, found.container, timeout);
}

Result<void> send_signal(const std::string& root, const std::string& name,
                         const std::string& signal) {
  const int number = SBX_TRY(runtime::parse_signal(signal));
  const Found found = SBX_TRY(find(root, name));
  return runtime::kill_container(found.root, found.container, number);
}

Result<void> rename(const std::string& root, const std::string& name, const std::string& new_name) {
  const Found found = SBX_TRY(find(root, name));
  SBX_TRY(runtime::rename_container(found.root, found.container.state.id, new_name));
  runtime::ContainerState state = found.container.state;
  state.name = new_name;
  runtime::write_container_event(found.root, state, "rename",
                                 {{"oldName", found.container.state.name}});
  return {};
}

Result<void> pause(const std::string& root, const std::string& name) {
  const Found found = SBX_TRY(find(root, name));
  return runtime::pause_container(found.root, found.container);
}

Result<void> unpause(const std::string& root, const std::string& name) {
  const Found found = SBX_TRY(find(root, name));
  return runtime::unpause_container(found.root, found.container);
}

Result<runtime::TopTable> processes(const std::string& root, const std::string& name,
                                    const std::vector<std::string>& descriptors) {
  const Found found = SBX_TRY(find(root, name));
  return runtime::container_top(found.root, found.container, descriptors);
}

Result<ContainerResources> resources(const std::string& root, const std::string& name) {
  const Found found = SBX_TRY(find(root, name));
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  const runtime::ContainerUse use = SBX_TRY(runtime::container_use(found.root, found.container));
  ContainerResources out;
  out.id = found.container.state.id;
  out.name = found.container.state.name;
  out.at_ns =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
  out.cpu_ns = use.cpu_ns;
  out.memory = use.memory;
  out.memory_limit = found.container.running() ? runtime::machine_memory() : 0;
  out.threads = use.threads;
  out.network_in = use.network_in;
  out.network_out = use.network_out;
  out.block_in = use.block_in;
  out.block_out = use.block_out;
  return out;
}

Result<int> wait(const std::string& root, const std::string& name, WaitCondition condition) {
  Found found = SBX_TRY(find(root, name));
  const runtime::WaitFor what = condition == WaitCondition::kNextExit ? runtime::WaitFor::kNextExit
                                : condition == WaitCondition::kRemoved
                                    ? runtime::WaitFor::kRemoved
                                    : runtime::WaitFor::kNotRunning;
  return runtime::EndWatch(std::move(found.root), std::move(found.container)).wait(what);
}

Result<bool> remove(const std::string& root, const std::string& name, bool force, bool volumes) {
  const Result<Found> found = find(root, name);
  if (!found) {
    return force && found.error().code == ErrorCode::kNotFound ? Result<bool>(false)
                                                               : fail(found.error());
  }
  SBX_TRY(runtime::remove_container(found->root, found->container, {force, volumes}));
  return true;
}

/// nullopt for no text.
Result<std::optional<std::int64_t>> time_of(const std::string& text) {
  if (text.empty()) {
    return std::optional<std::int64_t>();
  }
  const Result<std::int64_t> time = image::parse_until(text, std::time(nullptr));
  return time ? Result<std::optional<std::int64_t>>(std::optional(*time))
              : fail(Error::make(ErrorCode::kInvalidArgument, "use time", text,
                                 time.error().reason));
}

Result<void> logs(const LogsRequest& request, const std::function<bool(const LogLine&)>& take) {
  const Found found = SBX_TRY(find(request.root, request.container));
  const runtime::LogQuery query{request.follow, request.tail, SBX_TRY(time_of(request.since)),
                                SBX_TRY(time_of(request.until))};
  return runtime::read_log(found.root, found.container, query, [&](const runtime::LogEntry& entry) {
    return take({entry.stream == runtime::LogStream::kErr, entry.time, entry.text});
  });
}

Result<Container> find_one(const std::string& root, const std::string& name) {
  const Found found = SBX_TRY(find(root, name));
  return to_public(found.root, found.container);
}

Result<std::uint64_t> size_of(const std::string& root, const std::string& id) {
  return runtime::container_size(SBX_TRY(runtime::data_root_of(root)), id);
}

/// The image, if the store still has it.
std::optional<image::StoredImage> image_of(const std::string& root,
                                           const runtime::Container& container) {
  if (container.state.image_id.empty()) {
    return std::nullopt;
  }
  const Result<image::ImageStore> images = api::open_images(root);
  Result<image::StoredImage> found =
      images ? images->find(container.state.image_id) : fail(images.error());
  return found ? std::optional(std::move(found).value()) : std::nullopt;
}

Result<std::string> inspect(const std::string& given_root, const std::string& name, bool size) {
  const Found found = SBX_TRY(find(given_root, name));
  const std::string& id = found.container.state.id;
  const std::optional<image::StoredImage> image = image_of(given_root, found.container);
  Json out = api::container_to_json(found.container,
                                    SBX_TRY(runtime::read_container_config(found.root, id)),
                                    {found.root + "/containers/" + id, found.root + "/volumes",
                                     image ? image->config_digest.str() : "",
                                     SBX_TRY(runtime::read_health(found.root, found.container))});
  if (size) {
    const std::uint64_t written = SBX_TRY(runtime::container_size(found.root, id));
    out["SizeRw"] = written;
    out["SizeRootFs"] = written + (image ? image->size : 0);
  }
  return dump_json(out, 4);
}

}  // namespace

Outcome<std::vector<Container>> containers(const std::string& root,
                                           const std::vector<std::string>& filters) {
  return api::to_outcome(list(root, filters));
}

Outcome<Container> find_container(const std::string& root, const std::string& name) {
  return api::to_outcome(find_one(root, name));
}

Outcome<std::string> inspect_container(const std::string& root, const std::string& name,
                                       bool size) {
  return api::to_outcome(inspect(root, name, size));
}

Outcome<std::uint64_t> container_size(const std::string& root, const std::string& id) {
  return api::to_outcome(size_of(root, id));
}

Outcome<std::monostate> start_container(const std::string& root, const std::string& name) {
  return to_done(start(root, name));
}

Outcome<std::monostate> stop_container(const std::string& root, const std::string& name,
                                       std::optional<int> timeout) {
  return to_done(stop(root, name, timeout));
}

Outcome<std::monostate> kill_container(const std::string& root, const std::string& name,
                                       const std::string& signal) {
  return to_done(send_signal(root, name, signal));
}

Outcome<int> start_attached(const std::string& root, const std::string& name,
                            const AttachOptions& options) {
  return api::to_outcome(start_and_attach(root, name, options));
}

Outcome<int> attach_container(const std::string& root, const std::string& name,
                              const AttachOptions& options) {
  return api::to_outcome(attach(root, name, options));
}

Outcome<int> wait_for_container(const std::string& root, const std::string& name,
                                WaitCondition condition) {
  return api::to_outcome(wait(root, name, condition));
}

Outcome<std::monostate> pause_container(const std::string& root, const std::string& name) {
  return to_done(pause(root, name));
}

Outcome<std::monostate> unpause_container(const std::string& root, const std::string& name) {
  return to_done(unpause(root, name));
}

Outcome<std::vector<std::vector<std::string>>> container_processes(
    const std::string& root, const std::string& name, const std::vector<std::string>& descriptors) {
  return api::to_outcome(processes(root, name, descriptors));
}

Outcome<ContainerResources> container_resources(const std::string& root, const std::string& name) {
  return api::to_outcome(resources(root, name));
}

Outcome<std::monostate> rename_container(const std::string& root, const std::string& name,
                                         const std::string& new_name) {
  return to_done(rename(root, name, new_name));
}

Outcome<bool> remove_container(const std::string& root, const std::string& name, bool force,
                               bool volumes) {
  return api::to_outcome(remove(root, name, force, volumes));
}

Outcome<int> exec(const ExecOptions& options) { return api::to_outcome(runtime::exec(options)); }

Outcome<std::monostate> read_logs(const LogsRequest& request,
                                  const std::function<bool(const LogLine&)>& take) {
  return to_done(logs(request, take));
}

}  // namespace sbx
