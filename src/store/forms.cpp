#include "store/forms.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.hpp"
#include "sys/file.hpp"

namespace sbx::store {
namespace {

constexpr const char* kDir = "forms";
constexpr std::size_t kMaxForms = 16;
constexpr std::size_t kMaxNote = 64U << 10U;

std::string note_path(const oci::DiffId& diff_id) {
  return fmt::format("{}/{}", kDir, diff_id.hex());
}

Result<LayerForm> form_from(const Json& object) {
  LayerForm out;
  out.descriptor = SBX_TRY(oci::Descriptor::from_json(object));
  out.domain = SBX_TRY(find_string(object, "domain")).value_or("");
  out.repository = SBX_TRY(find_string(object, "repository")).value_or("");
  return out;
}

Json json_of(const LayerForm& form) {
  Json out = form.descriptor.to_json();
  out["domain"] = form.domain;
  out["repository"] = form.repository;
  return out;
}

bool same_place(const LayerForm& a, const LayerForm& b) {
  return a.descriptor.digest == b.descriptor.digest && a.domain == b.domain &&
         a.repository == b.repository;
}

}  // namespace

std::vector<LayerForm> noted_forms(const Store& store, const oci::DiffId& diff_id) {
  std::vector<LayerForm> out;
  const Result<std::string> text = sys::read_file_at(store.dir(), note_path(diff_id), kMaxNote);
  const Result<Json> list =
      text ? parse_json(*text, "note of a layer") : Result<Json>(fail(text.error()));
  if (!list || !list->is_array()) {
    return out;
  }
  for (const Json& item : *list) {
    if (Result<LayerForm> form = form_from(item)) {
      out.push_back(std::move(form).value());
    }
  }
  return out;
}

Result<void> note_form(const Store& store, const oci::DiffId& diff_id, const LayerForm& form) {
  if (Result<void> made = sys::make_dir_at(store.dir(), kDir, 0700);
      !made && made.error().code != ErrorCode::kAlreadyExists) {
    return made;
  }
  std::vector<LayerForm> forms = noted_forms(store, diff_id);
  std::erase_if(forms, [&](const LayerForm& old) { return same_place(old, form); });
  forms.insert(forms.begin(), form);
  forms.resize(std::min(forms.size(), kMaxForms));
  Json list = Json::array();
  for (const LayerForm& each : forms) {
    list.push_back(json_of(each));
  }
  return sys::write_file_at(store.dir(), note_path(diff_id), dump_json(list), 0600,
                            sys::Durability::kCached);
}

Result<void> sweep_forms(const Store& store, const std::set<std::string>& needed) {
  if (!sys::exists_at(store.dir(), kDir)) {
    return {};
  }
  for (const std::string& name : SBX_TRY(sys::list_dir(store.dir(), kDir))) {
    if (needed.count(name) == 0) {
      SBX_TRY(sys::unlink_at(store.dir(), fmt::format("{}/{}", kDir, name)));
    }
  }
  return {};
}

}  // namespace sbx::store
