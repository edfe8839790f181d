#pragma once

#include <string>

#include <sbx/outcome.hpp>

namespace sbx {

/// How json_value() writes what it finds.
enum class JsonForm {
  kText,  // as Go's templates do, which docker's --format is: text as it is, [a b], map[k:v], <no value>
  kJson
};

/// The value at `path` ("Config.Env"; empty: the whole) of a JSON document. Fails if the document has no such member.
Outcome<std::string> json_value(const std::string& json, const std::string& path, JsonForm form);

}  // namespace sbx
