#include "platform/sim/explorer_token.h"

#include <array>
#include <charconv>
#include <utility>

namespace firn::sim {

namespace {

constexpr std::array<std::pair<CrashProfile, std::string_view>, 4> kProfiles{{
    {CrashProfile::kProcessKill, "kill"},
    {CrashProfile::kOrdered, "ordered"},
    {CrashProfile::kLinux, "linux"},
    {CrashProfile::kStrict, "strict"},
}};

bool parse_number(std::string_view text, std::uint64_t& number) {
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && at == end;
}

// Takes the part before the next `separator`, and the separator, off the front of `text`.
std::string_view take_part(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return part;
}

bool parse_fault(std::string_view text, InjectedFault& fault) {
  text.remove_prefix(1);  // 'f'
  if (!parse_number(take_part(text, '.'), fault.number)) return false;
  const std::optional<std::size_t> kind = explorer_fault_of(text);
  fault.kind = kind.value_or(0);
  return kind.has_value();
}

bool parse_step(std::string_view text, CrashStep& step) {
  if (!parse_number(take_part(text, '.'), step.operation)) return false;
  const std::optional<CrashProfile> profile = profile_of(take_part(text, '.'));
  if (!profile.has_value()) return false;
  step.profile = *profile;
  step.plan = text;
  return true;
}

}  // namespace

std::string_view profile_name(CrashProfile profile) {
  for (const auto& [known, name] : kProfiles) {
    if (known == profile) return name;
  }
  return "unknown";
}

std::optional<CrashProfile> profile_of(std::string_view name) {
  for (const auto& [profile, known] : kProfiles) {
    if (known == name) return profile;
  }
  return std::nullopt;
}

std::string Token::text() const {
  std::string text = workload + "/" + std::to_string(seed);
  if (fault.has_value())
    text += "/f" + std::to_string(fault->number) + "." + std::string(explorer_faults()[fault->kind].name);
  for (const CrashStep& step : steps) {
    text += "/" + std::to_string(step.operation) + "." + std::string(profile_name(step.profile)) + "." + step.plan;
  }
  return text;
}

std::optional<Token> Token::parse(std::string_view text) {
  Token token;
  token.workload = take_part(text, '/');
  if (token.workload.empty() || !parse_number(take_part(text, '/'), token.seed)) return std::nullopt;
  if (text.starts_with('f')) {
    token.fault.emplace();
    if (!parse_fault(take_part(text, '/'), *token.fault)) return std::nullopt;
  }
  while (!text.empty()) {
    if (!parse_step(take_part(text, '/'), token.steps.emplace_back())) return std::nullopt;
  }
  return token;
}

std::string token_workload(const std::string& text) {
  const std::optional<Token> token = Token::parse(text);
  return token.has_value() ? token->workload : std::string();
}

std::uint64_t token_seed(const std::string& text) {
  const std::optional<Token> token = Token::parse(text);
  return token.has_value() ? token->seed : 0;
}

}  // namespace firn::sim
