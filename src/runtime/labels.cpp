#include "runtime/labels.hpp"

#include <fcntl.h>

#include <algorithm>

#include "runtime/environment.hpp"
#include "sys/file.hpp"

namespace sbx::runtime {
namespace {

constexpr std::size_t kMost = std::size_t{256} << 10U;

}  // namespace

Result<std::map<std::string, std::string>> build_labels(
    const RunRequest& request, const std::map<std::string, std::string>& image) {
  std::vector<std::string> given;
  for (const std::string& file : request.label_files) {
    const std::string text = SBX_TRY(sys::read_file_at(AT_FDCWD, file, kMost));
    std::vector<std::string> lines = SBX_TRY(parse_environment_file(text, file));
    given.insert(given.end(), lines.begin(), lines.end());
  }
  given.insert(given.end(), request.labels.begin(), request.labels.end());
  std::map<std::string, std::string> out = image;
  std::size_t size = 0;
  for (const std::string& label : given) {
    const std::size_t equals = std::min(label.find('='), label.size());
    if (equals == 0) {
      return fail(Error::make(ErrorCode::kInvalidArgument, "set label", label, "it has no name"));
    }
    size += label.size();
    out[label.substr(0, equals)] = equals < label.size() ? label.substr(equals + 1) : "";
  }
  return size <= kMost ? Result<std::map<std::string, std::string>>(std::move(out))
                       : fail(Error::make(ErrorCode::kLimit, "set labels", "",
                                          "they are longer than 256 KiB"));
}

}  // namespace sbx::runtime
