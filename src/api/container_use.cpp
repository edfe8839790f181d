#include "api/container_use.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "base/json.hpp"

namespace sbx::api {
namespace {

/// The image, and all whose lowest layers are its layers.
Result<std::set<std::string>> with_descendants(const std::string& data_root,
                                               const std::string& name) {
  std::set<std::string> out;
  const image::ImageStore store = SBX_TRY(image::ImageStore::open(data_root));
  const std::optional<image::StoredImage> found = SBX_TRY(store.try_find(name));
  if (!found) {
    return out;
  }
  out.insert(found->manifest.str());
  const auto& base = found->config.diff_ids;
  for (const image::StoredImage& image : SBX_TRY(store.list())) {
    const auto& layers = image.config.diff_ids;
    if (layers.size() > base.size() && std::equal(base.begin(), base.end(), layers.begin())) {
      out.insert(image.manifest.str());
    }
  }
  return out;
}

std::set<std::string> mounted_in(const std::string& data_root, const std::string& id) {
  std::set<std::string> out;
  if (const auto config = runtime::read_container_config(data_root, id)) {
    for (const oci::SpecMount& mount : config->spec.mounts) {
      out.insert({mount.source, mount.destination});
    }
  }
  return out;
}

}  // namespace

std::string health_of(const std::string& root, const runtime::Container& container) {
  const Result<std::optional<Json>> health = runtime::read_health(root, container);
  return health && *health ? find_string(**health, "Status").value_or("").value_or("") : "";
}

runtime::FilterFacts filter_facts(const std::string& data_root) {
  runtime::FilterFacts out;
  out.now = std::time(nullptr);
  out.created = [data_root](const std::string& name) -> Result<std::string> {
    return SBX_TRY(runtime::find_container(data_root, name)).state.created;
  };
  out.images = [data_root](const std::string& name) { return with_descendants(data_root, name); };
  out.mounts = [data_root](const std::string& id) { return mounted_in(data_root, id); };
  out.health = [data_root](const runtime::Container& one) { return health_of(data_root, one); };
  return out;
}

std::string image_of(const image::ImageStore& store, const runtime::Container& container) {
  // The digest tells which it was; containers of older versions have the name alone.
  const std::string& digest = container.state.image_id;
  const Result<std::optional<image::StoredImage>> found =
      store.try_find(digest.empty() ? container.state.image : digest);
  return found && *found ? (*found)->id() : std::string();
}

Result<void> refuse_if_used(const std::string& data_root, const image::ImageStore& store,
                            const std::string& image_id, bool running_only) {
  for (const runtime::Container& one : SBX_TRY(runtime::list_containers(data_root))) {
    if ((running_only && !one.running()) || image_of(store, one) != image_id) {
      continue;
    }
    const std::string name =
        fmt::format("container '{}' ({}) ", one.state.name, one.state.id.substr(0, 12));
    const char* const hint = one.running()
                                 ? "'sbx stop' and 'sbx rm' end and remove it"
                                 : "'sbx rm' removes the container; --force the image all the same";
    return fail(Error::make(ErrorCode::kBusy, "remove image", image_id.substr(0, 12),
                            name + (one.running() ? "runs from it" : "uses it"))
                    .with_hint(hint));
  }
  return {};
}

}  // namespace sbx::api
