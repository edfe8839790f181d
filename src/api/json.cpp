#include "base/json.hpp"

#include <sbx/json.hpp>

#include "api/failure.hpp"

namespace sbx {
namespace {

std::string go_text(const Json& value) {
  if (value.is_string()) {
    return value.get<std::string>();
  }
  if (value.is_null()) {
    return "<no value>";
  }
  if (!value.is_structured()) {
    return dump_json(value);
  }
  std::string out = value.is_array() ? "[" : "map[";
  const std::size_t start = out.size();
  for (const auto& [name, item] : value.items()) {
    out += out.size() == start ? "" : " ";
    out += value.is_array() ? go_text(item) : name + ":" + go_text(item);
  }
  return out + "]";
}

Result<std::string> find_value(const std::string& text, const std::string& path, JsonForm form) {
  const Json document = SBX_TRY(parse_json(text, "the output"));
  const Json* value = &document;
  std::string_view rest = path;
  while (!rest.empty()) {
    const std::string_view name = rest.substr(0, rest.find('.'));
    const auto it = value->is_object() ? value->find(name) : value->end();
    if (!value->is_object() || it == value->end()) {
      return fail(Error::make(ErrorCode::kInvalidArgument, "format output by", path,
                              "there is no such field"));
    }
    value = &*it;
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
  }
  return form == JsonForm::kJson ? dump_json(*value) : go_text(*value);
}

}  // namespace

Outcome<std::string> json_value(const std::string& json, const std::string& path, JsonForm form) {
  return api::to_outcome(find_value(json, path, form));
}

}  // namespace sbx
