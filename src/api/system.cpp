#include <algorithm>
#include <ctime>
#include <map>
#include <set>

#include <sbx/system.hpp>

#include "api/container_use.hpp"
#include "api/failure.hpp"
#include "api/image_json.hpp"
#include "api/volumes.hpp"
#include "base/json.hpp"
#include "image/disk_usage.hpp"
#include "image/image_filter.hpp"
#include "runtime/containers.hpp"
#include "runtime/settings.hpp"
#include "runtime/transfer.hpp"
#include "runtime/volumes.hpp"

namespace sbx {
namespace {

using runtime::Container;

Result<std::vector<VolumeUsage>> measure_volumes(const std::string& root) {
  const runtime::VolumeStore store = SBX_TRY(runtime::VolumeStore::open(root));
  const auto users = SBX_TRY(store.users());
  std::vector<std::string> names;
  for (const runtime::VolumeRecord& record : SBX_TRY(store.list())) {
    names.push_back(record.name);
  }
  const std::vector<std::uint64_t> sizes = SBX_TRY(runtime::volume_sizes(store, names));
  std::vector<VolumeUsage> out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto found = users.find(names[i]);
    out.push_back({names[i], found == users.end() ? 0 : found->second.size(), sizes[i]});
  }
  return out;
}

Result<DiskUsage> measure(const std::string& given_root) {
  const std::string root = SBX_TRY(runtime::data_root_of(given_root));
  DiskUsage out;
  const image::StoreUse store = SBX_TRY(image::measure_store(root));
  out.store = store.bytes;
  out.garbage = store.garbage;
  for (const image::ImageUse& use : store.images) {
    out.images.push_back({api::to_public(use.image), use.shared, use.unique, 0});
  }
  const image::ImageStore images = SBX_TRY(image::ImageStore::open(root));
  for (const Container& container : SBX_TRY(runtime::list_containers(root))) {
    const runtime::ContainerState& state = container.state;
    out.containers.push_back({state.id, state.name, state.image, container.busy,
                              SBX_TRY(runtime::container_size(root, state.id))});
    const std::string id = api::image_of(images, container);
    for (ImageUsage& use : out.images) {
      use.containers += use.image.id == id ? 1U : 0U;
    }
  }
  out.volumes = SBX_TRY(measure_volumes(root));
  return out;
}

Result<void> check_filters(const std::vector<std::string>& filters) {
  for (const std::string& filter : filters) {
    const std::string key = filter.substr(0, filter.find('='));
    if (key != "until" && key != "label" && key != "label!") {
      return fail(Error::make(ErrorCode::kInvalidArgument, "prune by", filter,
                              "only until=TIME, label=NAME and label!=NAME choose here"));
    }
  }
  return {};
}

/// Those that do not run and that the filters accept; without them in `kept`.
Result<void> prune_containers(const PruneOptions& options, const std::string& root,
                              std::vector<Container>& kept, Pruned& out) {
  const runtime::FilterFacts facts = api::filter_facts(root);
  const auto filter = SBX_TRY(runtime::ContainerFilter::parse(options.filters, facts));
  std::vector<Container> dead = kept;
  std::erase_if(dead, [&](const Container& one) { return one.busy || !filter.accepts(one); });
  std::map<std::string, std::uint64_t> sizes;
  for (const Container& one : dead) {
    sizes[one.state.id] = runtime::container_size(root, one.state.id).value_or(0);
  }
  for (const Container& one : SBX_TRY(runtime::remove_containers(root, dead))) {
    out.containers.push_back(one.state.id);
    out.bytes += sizes[one.state.id];
    std::erase_if(kept, [&](const Container& other) { return other.state.id == one.state.id; });
  }
  return {};
}

Result<void> prune_images(const PruneOptions& options, const std::string& root,
                          const std::vector<Container>& kept, Pruned& out) {
  image::ImageStore store = SBX_TRY(image::ImageStore::open(root));
  std::set<std::string> used;
  for (const Container& one : kept) {
    used.insert(api::image_of(store, one));
  }
  const image::ImageFilter filter =
      SBX_TRY(image::ImageFilter::parse(options.filters, store, std::time(nullptr)));
  const image::ImageStore::Pruned pruned =
      SBX_TRY(store.prune([&](const image::StoredImage& image) {
        return (image.names.empty() || options.all) && used.count(image.id()) == 0 &&
               filter.accepts(image);
      }));
  for (const image::RemovedImage& removed : pruned.images) {
    Removed one;
    std::transform(removed.untagged.begin(), removed.untagged.end(),
                   std::back_inserter(one.untagged), api::short_name);
    one.deleted = removed.deleted.value_or("");
    out.images.push_back(std::move(one));
  }
  out.bytes += pruned.bytes;
  return {};
}

Result<Pruned> prune_all(const PruneOptions& options) {
  SBX_TRY(check_filters(options.filters));
  const std::string root = SBX_TRY(runtime::data_root_of(options.root));
  Pruned out;
  std::vector<Container> kept = SBX_TRY(runtime::list_containers(root));
  if (options.containers) {
    SBX_TRY(prune_containers(options, root, kept, out));
  }
  if (options.volumes) {
    const PrunedVolumes pruned = SBX_TRY(api::prune_volumes_in(root, options.all, options.filters));
    out.volumes = pruned.names;
    out.bytes += pruned.bytes;
  }
  if (options.images) {
    SBX_TRY(prune_images(options, root, kept, out));
  }
  return out;
}

Result<std::uint64_t> number(const Json& object, const char* key) {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, SBX_TRY(find_integer(object, key)).value_or(0)));
}

Result<StoreReport> check(const std::string& given_root, bool repair) {
  std::vector<std::string> words{"check", "--root", SBX_TRY(runtime::data_root_of(given_root))};
  if (repair) {
    words.emplace_back("--repair");
  }
  const Json answer = SBX_TRY(runtime::ask_transfer(std::move(words)));
  StoreReport out;
  out.images = SBX_TRY(number(answer, "images"));
  out.blobs = SBX_TRY(number(answer, "blobs"));
  out.bytes = SBX_TRY(number(answer, "bytes"));
  out.trees = SBX_TRY(number(answer, "trees"));
  out.found = SBX_TRY(number(answer, "found"));
  out.left = SBX_TRY(number(answer, "left"));
  const Json* const problems = SBX_TRY(find_array(answer, "problems"));
  for (const Json& problem : problems == nullptr ? Json::array() : *problems) {
    out.problems.push_back({SBX_TRY(find_string(problem, "kind")).value_or(""),
                            SBX_TRY(find_string(problem, "subject")).value_or(""),
                            SBX_TRY(find_string(problem, "text")).value_or(""),
                            SBX_TRY(find_string(problem, "action")).value_or("")});
  }
  return out;
}

}  // namespace

Outcome<DiskUsage> disk_usage(const std::string& root) { return api::to_outcome(measure(root)); }

Outcome<Pruned> prune(const PruneOptions& options) { return api::to_outcome(prune_all(options)); }

Outcome<StoreReport> check_store(const std::string& root, bool repair) {
  return api::to_outcome(check(root, repair));
}

}  // namespace sbx
