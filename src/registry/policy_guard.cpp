// The two processes talk in messages: 4 bytes of length, the machine's order, and JSON.
//   us: {"reference", "manifest"}           it: any number of {"fetch": URL}, each answered, then {"verdict"}
//   us: {"found": base64 | null} | {"error"}     it: {"verdict": null} | {"verdict": an error}
// It does not trust us: once confined, we read what a registry sends.

#include "registry/policy_guard.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/base64.hpp"
#include "base/error_json.hpp"
#include "sys/channel.hpp"
#include "sys/file.hpp"
#include "sys/isolate.hpp"
#include "sys/ns.hpp"
#include "sys/pipe_signal.hpp"
#include "sys/raw.hpp"

namespace sbx::registry {
namespace {

constexpr const char* kName = "signature verifier";
/// A signature of 1 MiB in base64, and some words.
constexpr std::uint32_t kMaxMessage = 2U << 20U;
constexpr std::size_t kMaxSignature = std::size_t{1} << 20U;
constexpr int kPatience = 60'000;  // ms; gpg takes some 50 a signature

Unexpected<Error> broken(std::string reason) {
  return fail(Error::make(ErrorCode::kSystem, "talk to", kName, std::move(reason)));
}

Result<void> send(int fd, const Json& message) {
  const std::string text = dump_json(message);
  const auto length = static_cast<std::uint32_t>(text.size());
  std::string frame(sizeof length, '\0');
  std::memcpy(frame.data(), &length, sizeof length);
  const sys::PipeSignalBlock block;
  return sys::write_full(fd, frame + text, kName);
}

/// nullopt at the end of the pipe.
Result<std::optional<Json>> receive(int fd) {
  std::uint32_t length = 0;
  std::array<std::byte, sizeof length> head{};
  const std::size_t got = SBX_TRY(sys::read_some(fd, head, kName));
  if (got == 0) {
    return std::optional<Json>{};
  }
  std::memcpy(&length, head.data(), sizeof length);
  if (got < head.size() || length > kMaxMessage) {
    return broken("a message is cut, or too long");
  }
  std::string text(length, '\0');
  if (SBX_TRY(sys::read_some(fd, std::as_writable_bytes(std::span(text)), kName)) < length) {
    return broken("a message is cut");
  }
  Json message = SBX_TRY(parse_json(text, kName));
  return message.is_object() ? Result<std::optional<Json>>(std::move(message))
                             : broken("a message is no object");
}

Result<void> wait_for(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&waiting, 1, kPatience);
  } while (ready < 0 && errno == EINTR);
  return ready > 0 ? Result<void>()
                   : fail(Error::make(ErrorCode::kLimit, "talk to", kName,
                                      fmt::format("no answer for {} s", kPatience / 1000)));
}

Json answer_to_fetch(const std::string& url, const SignatureFetcher& fetch) {
  const Result<std::optional<std::string>> found = fetch(url);
  if (!found) {
    return {{"error", error_to_json(found.error())}};
  }
  if (*found && (*found)->size() > kMaxSignature) {
    return {{"error", error_to_json(Error::make(ErrorCode::kLimit, "fetch signature", url,
                                                "it is larger than 1 MiB"))}};
  }
  return {{"found", *found ? Json(encode_base64(**found)) : Json(nullptr)}};
}

/// In the other process: has the confined one fetch a URL.
Result<std::optional<std::string>> fetch_over(int in, int out, const std::string& url) {
  SBX_TRY(send(out, Json{{"fetch", url}}));
  const std::optional<Json> answer = SBX_TRY(receive(in));
  if (!answer) {
    return broken("it has ended");
  }
  if (answer->contains("error")) {
    return fail(SBX_TRY(error_from_json((*answer)["error"])));
  }
  const std::optional<std::string> found = SBX_TRY(find_string(*answer, "found"));
  if (!found) {
    return std::optional<std::string>{};
  }
  std::optional<std::string> bytes = decode_base64(*found, kMaxSignature);
  return bytes ? Result<std::optional<std::string>>(std::move(bytes)) : broken("no base64");
}

Result<void> judge(const Policy& policy, const Json& question, int in, int out) {
  const std::string name = SBX_TRY(find_string(question, "reference")).value_or("");
  const std::string digest = SBX_TRY(find_string(question, "manifest")).value_or("");
  return policy.check(SBX_TRY(oci::Reference::parse(name)), SBX_TRY(oci::Digest::parse(digest)),
                      [&](const std::string& url) { return fetch_over(in, out, url); });
}

/// Until the other side hangs up or talks nonsense.
Result<void> serve(const Policy& policy, int in, int out) {
  for (;;) {
    const std::optional<Json> question = SBX_TRY(receive(in));
    if (!question) {
      return {};
    }
    const Result<void> verdict = judge(policy, *question, in, out);
    SBX_TRY(send(out, Json{{"verdict", verdict ? Json(nullptr) : error_to_json(verdict.error())}}));
  }
}

[[noreturn]] void run_other_process(const Policy& policy, int in, int out) {
  (void)sys::raw::set_parent_death_signal(SIGKILL);  // else the end of the pipe ends it
  const std::array<int, 2> keep{in, out};
  const bool ready = sys::forget_descriptors(keep).has_value();
  sys::raw::exit(ready && serve(policy, in, out) ? 0 : 1);
}

}  // namespace

Result<PolicyGuard> PolicyGuard::start(Policy policy,
                                       const std::vector<oci::Reference>& references) {
  PolicyGuard out(std::move(policy));
  if (std::none_of(references.begin(), references.end(),
                   [&](const oci::Reference& each) { return out.policy_.needs_gpg(each); })) {
    return out;
  }
  sys::Pipe questions = SBX_TRY(sys::make_pipe());
  sys::Pipe answers = SBX_TRY(sys::make_pipe());
  sys::Cloned other = SBX_TRY(sys::fork_role());
  if (other.pid == 0) {
    questions.writer.reset();
    answers.reader.reset();
    run_other_process(out.policy_, questions.reader.get(), answers.writer.get());
  }
  out.process_ = sys::Child(other.pid, std::move(other.pidfd));
  out.to_ = std::move(questions.writer);
  out.from_ = std::move(answers.reader);
  return out;
}

Result<void> PolicyGuard::check(const oci::Reference& reference, const oci::Digest& manifest,
                                const SignatureFetcher& fetch) const {
  if (!policy_.needs_gpg(reference)) {
    return policy_.check(reference, manifest, fetch);
  }
  if (!to_) {
    return broken(fmt::format("it was not started for '{}'", reference.str()));
  }
  SBX_TRY(send(to_.get(), Json{{"reference", reference.str()}, {"manifest", manifest.str()}}));
  for (;;) {
    SBX_TRY(wait_for(from_.get()));
    const std::optional<Json> message = SBX_TRY(receive(from_.get()));
    if (!message) {
      return broken("it has ended");
    }
    if (const std::optional<std::string> url = SBX_TRY(find_string(*message, "fetch"))) {
      SBX_TRY(send(to_.get(), answer_to_fetch(*url, fetch)));
      continue;
    }
    // No verdict is no permission: only an explicit null is.
    if (!message->contains("verdict")) {
      return broken("it gives no verdict");
    }
    const Json& verdict = (*message)["verdict"];
    return verdict.is_null() ? Result<void>() : fail(SBX_TRY(error_from_json(verdict)));
  }
}

}  // namespace sbx::registry
