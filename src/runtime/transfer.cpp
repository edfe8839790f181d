#include "runtime/transfer.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/error_json.hpp"
#include "base/json.hpp"
#include "sys/channel.hpp"
#include "sys/child.hpp"
#include "sys/file.hpp"
#include "sys/xdg.hpp"

namespace sbx::runtime {
namespace {

/// The longest is that of `describe`: a manifest and a configuration, 4 MiB each, as JSON strings.
constexpr std::size_t kAnswerMax = std::size_t{20} << 20U;

/// Beside our own executable, in a build directory or installed.
Result<std::string> find_transfer() {
  const std::string own = SBX_TRY(sys::own_executable());
  const std::string dir = own.substr(0, own.find_last_of('/'));
  for (const std::string& path :
       {dir + "/src/transfer/sbx-transfer", dir + "/../libexec/sbx/sbx-transfer"}) {
    if (::access(path.c_str(), X_OK) == 0) {
      return path;
    }
  }
  return fail(
      Error::make(ErrorCode::kNotFound, "start", "sbx-transfer",
                  fmt::format("it lies neither in {0}/src/transfer nor in {0}/../libexec/sbx", dir))
          .with_hint("install sbx as a whole"));
}

Error broken(const std::string& verb, const sys::ExitStatus& status) {
  return Error::make(ErrorCode::kSystem, "run", "sbx-transfer " + verb,
                     status.signal != 0
                         ? fmt::format("signal {} killed it", status.signal)
                         : fmt::format("it ended with code {} and no answer", status.code));
}

TransferProgress read_progress(const Json& told) {
  const auto number = [&](std::string_view key) -> std::uint64_t {
    const auto found = find_integer(told, key);
    const std::int64_t value = found ? found->value_or(0) : 0;
    return value < 0 ? 0 : static_cast<std::uint64_t>(value);
  };
  return {number("layer"), number("layers"), number("done"), number("total")};
}

/// The last line; those before it are progress.
Result<std::string> read_answer(int fd, const ProgressCallback& progress) {
  std::string text;
  std::array<std::byte, 4096> piece{};
  while (const std::size_t got = SBX_TRY(sys::read_available(fd, piece, "sbx-transfer"))) {
    text.append(reinterpret_cast<const char*>(piece.data()), got);
    for (std::size_t end = text.find('\n'); end != std::string::npos && end + 1 < text.size();
         end = text.find('\n')) {
      if (const Result<Json> line = parse_json(text.substr(0, end), "progress"); line && progress) {
        if (const auto told = find_object(*line, "progress"); told && *told != nullptr) {
          progress(read_progress(**told));
        }
      }
      text.erase(0, end + 1);
    }
    if (text.size() > kAnswerMax) {
      return fail(
          Error::make(ErrorCode::kLimit, "read the answer of", "sbx-transfer", "it is too long"));
    }
  }
  return text;
}

}  // namespace

bool is_image_source(const std::string& text) {
  constexpr std::array<std::string_view, 3> kTransports{"oci:", "oci-archive:", "docker-archive:"};
  return std::any_of(kTransports.begin(), kTransports.end(),
                     [&](std::string_view transport) { return text.starts_with(transport); });
}

std::string plain_name(const std::string& name) {
  constexpr std::string_view kTransport = "docker://";
  return name.starts_with(kTransport) ? name.substr(kTransport.size()) : name;
}

void add_option(std::vector<std::string>& words, const char* name, const std::string& value) {
  if (!value.empty()) {
    words.insert(words.end(), {name, value});
  }
}

Result<Json> ask_transfer(std::vector<std::string> words, int input,
                          const ProgressCallback& progress) {
  const std::string verb = words.front();
  words.insert(words.begin(), SBX_TRY(find_transfer()));
  sys::Pipe answer_pipe = SBX_TRY(sys::make_pipe());
  sys::Child child = SBX_TRY(sys::Child::spawn(words, answer_pipe.writer.get(), -1, input));
  answer_pipe.writer.reset();
  const std::string text = SBX_TRY(read_answer(answer_pipe.reader.get(), progress));
  const sys::ExitStatus status = SBX_TRY(child.wait());
  Result<Json> answer = parse_json(text, "the answer of sbx-transfer");
  if (!answer) {
    return fail(broken(verb, status));
  }
  if (const Json* told = SBX_TRY(find_object(*answer, "error")); told != nullptr) {
    return fail(SBX_TRY(error_from_json(*told)));
  }
  if (status.shell_code() != 0) {
    return fail(broken(verb, status));
  }
  return answer;
}

Result<std::string> load_image(const TransferLoad& load) {
  std::vector<std::string> words{"load", "--root", load.data_root};
  add_option(words, "--platform", load.platform);
  add_option(words, "--tag", load.tag);
  words.push_back(load.source);
  const Json answer = SBX_TRY(ask_transfer(std::move(words)));
  std::optional<std::string> manifest = SBX_TRY(find_string(answer, "manifest"));
  if (!manifest) {
    return fail(Error::make(ErrorCode::kSystem, "load an image with", "sbx-transfer",
                            "its answer names no image"));
  }
  return std::move(*manifest);
}

}  // namespace sbx::runtime
