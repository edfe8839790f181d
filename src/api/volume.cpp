#include <algorithm>
#include <ctime>

#include <sbx/volume.hpp>

#include "api/failure.hpp"
#include "api/volumes.hpp"
#include "runtime/settings.hpp"
#include "runtime/volumes.hpp"
#include "sys/xdg.hpp"

namespace sbx {
namespace {

// podman's: who removes a volume in a script wants to know why it is still there.
constexpr int kExitNone = 1;
constexpr int kExitUsed = 2;
constexpr std::size_t kNameBytes = 32;

Result<runtime::VolumeStore> open_store(const std::string& root) {
  return runtime::VolumeStore::open(SBX_TRY(runtime::data_root_of(root)));
}

Result<std::string> create(const VolumeOptions& options) {
  runtime::VolumeRecord record;
  record.name = options.name;
  record.anonymous = options.name.empty();
  if (record.anonymous) {
    record.name = SBX_TRY(sys::random_hex(kNameBytes));
  }
  for (const std::string& label : options.labels) {
    record.labels.insert_or_assign(SBX_TRY(runtime::parse_label(label)).first,
                                   SBX_TRY(runtime::parse_label(label)).second);
  }
  const runtime::VolumeStore store = SBX_TRY(open_store(options.root));
  (void)SBX_TRY(store.create(record));
  return record.name;
}

Volume to_public(const runtime::VolumeStore& store, const runtime::VolumeRecord& record) {
  return {record.name, record.created, store.data_path(record.name), record.labels,
          record.anonymous};
}

Result<std::vector<Volume>> list(const std::string& root, const std::vector<std::string>& filters) {
  const auto filter = SBX_TRY(runtime::VolumeFilter::parse(filters, std::time(nullptr)));
  const runtime::VolumeStore store = SBX_TRY(open_store(root));
  store.sweep();
  const auto users = SBX_TRY(store.users());
  std::vector<Volume> out;
  for (const runtime::VolumeRecord& record : SBX_TRY(store.list())) {
    if (filter.accepts(record, users.count(record.name) != 0)) {
      out.push_back(to_public(store, record));
    }
  }
  return out;
}

Result<std::string> inspect(const std::string& root, const std::string& name) {
  const runtime::VolumeStore store = SBX_TRY(open_store(root));
  const runtime::VolumeRecord record = SBX_TRY(store.find(name));
  const Json labels = record.labels.empty() ? Json::object() : Json(record.labels);
  return dump_json({{"Name", record.name},
                    {"Driver", "local"},
                    {"Mountpoint", store.data_path(record.name)},
                    {"CreatedAt", record.created},
                    {"Labels", labels},
                    {"Options", Json::object()},
                    {"Scope", "local"},
                    {"Anonymous", record.anonymous}},
                   4);
}

Result<bool> remove(const std::string& root, const std::string& name, bool force) {
  const runtime::VolumeStore store = SBX_TRY(open_store(root));
  const Result<runtime::VolumeRecord> found = store.find(name);
  Result<void> removed = found ? store.remove(found->name) : Result<void>(fail(found.error()));
  if (!removed && !(force && removed.error().code == ErrorCode::kNotFound)) {
    return fail(std::move(removed).error());
  }
  return removed.has_value();
}

}  // namespace

namespace api {

Result<PrunedVolumes> prune_volumes_in(const std::string& data_root, bool all,
                                       const std::vector<std::string>& filters) {
  const auto filter = SBX_TRY(runtime::VolumeFilter::parse(filters, std::time(nullptr)));
  const runtime::VolumeStore store = SBX_TRY(runtime::VolumeStore::open(data_root));
  store.sweep();
  const auto users = SBX_TRY(store.users());
  std::vector<std::string> doomed;
  for (const runtime::VolumeRecord& record : SBX_TRY(store.list())) {
    if ((all || record.anonymous) && users.count(record.name) == 0 &&
        filter.accepts(record, false)) {
      doomed.push_back(record.name);
    }
  }
  const std::vector<std::uint64_t> sizes = SBX_TRY(runtime::volume_sizes(store, doomed));
  PrunedVolumes out;
  for (std::size_t i = 0; i < doomed.size(); ++i) {
    const Result<void> removed = store.remove(doomed[i]);
    if (removed) {
      out.names.push_back(doomed[i]);
      out.bytes += sizes[i];
    } else if (removed.error().code != ErrorCode::kBusy &&
               removed.error().code != ErrorCode::kNotFound) {  // somebody was faster
      return fail(removed.error());
    }
  }
  return out;
}

}  // namespace api

namespace {

Result<PrunedVolumes> prune(const PruneVolumesOptions& options) {
  for (const std::string& filter : options.filters) {
    const std::string key = filter.substr(0, filter.find('='));
    if (key != "label" && key != "label!" && key != "until") {
      return fail(Error::make(ErrorCode::kInvalidArgument, "prune volumes by", filter,
                              "only label=NAME, label!=NAME and until=TIME choose here"));
    }
  }
  return api::prune_volumes_in(SBX_TRY(runtime::data_root_of(options.root)), options.all,
                               options.filters);
}

}  // namespace

Outcome<std::string> create_volume(const VolumeOptions& options) {
  return api::to_outcome(create(options));
}

Outcome<std::vector<Volume>> volumes(const std::string& root,
                                     const std::vector<std::string>& filters) {
  return api::to_outcome(list(root, filters));
}

Outcome<std::string> inspect_volume(const std::string& root, const std::string& name) {
  return api::to_outcome(inspect(root, name));
}

Outcome<bool> remove_volume(const std::string& root, const std::string& name, bool force) {
  const Result<bool> removed = remove(root, name, force);
  if (removed) {
    return *removed;
  }
  Failure failure = api::to_failure(removed.error());
  failure.exit_code = removed.error().code == ErrorCode::kNotFound ? kExitNone
                      : removed.error().code == ErrorCode::kBusy   ? kExitUsed
                                                                   : failure.exit_code;
  return failure;
}

Outcome<PrunedVolumes> prune_volumes(const PruneVolumesOptions& options) {
  return api::to_outcome(prune(options));
}

}  // namespace sbx
