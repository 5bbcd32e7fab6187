"""The architectures that vLLM knows by itself, as data.

From ``vllm/model_executor/models/registry.py`` of vLLM 0.33.0 (source distribution of 2026-11-02),
the version that services are deployed with. A newer image may know more.
"""

from __future__ import annotations

VERSION = "0.33.0"


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


TEXT = _names(
    """
    AXK1ForCausalLM AfmoeForCausalLM AliceAIForCausalLM ApertusForCausalLM ArceeForCausalLM
    BailingMoeForCausalLM BailingMoeV2ForCausalLM BailingMoeV2_5ForCausalLM
    BailingMoeV3ForCausalLM BeamForCausalLM BloomForCausalLM ChatGLMForConditionalGeneration
    ChatGLMModel Cohere2ForCausalLM Cohere2MoeForCausalLM CohereForCausalLM CwmForCausalLM
    DbrxForCausalLM DeciLMForCausalLM DeepseekForCausalLM DeepseekV2ForCausalLM
    DeepseekV32ForCausalLM DeepseekV3ForCausalLM DeepseekV4ForCausalLM DomynEdgeForCausalLM
    DoryForCausalLM Ernie4_5ForCausalLM Ernie4_5_MoeForCausalLM Exaone4ForCausalLM
    ExaoneForCausalLM ExaoneMoEForCausalLM ExaoneMoeForCausalLM FalconForCausalLM
    FalconH1ForCausalLM FalconMambaForCausalLM FlexOlmoForCausalLM FlintForCausalLM
    GPT2LMHeadModel GPTBigCodeForCausalLM GPTJForCausalLM GPTNeoXForCausalLM Gemma2ForCausalLM
    Gemma3ForCausalLM Gemma3nForCausalLM Gemma4ForCausalLM GemmaForCausalLM Glm4ForCausalLM
    Glm4MoeForCausalLM Glm4MoeLiteForCausalLM Glm5NextForCausalLM GlmForCausalLM
    GlmMoeDsaForCausalLM GptOssForCausalLM GraniteForCausalLM GraniteMoeForCausalLM
    GraniteMoeHybridForCausalLM GraniteMoeSWAForCausalLM GraniteMoeSharedForCausalLM
    GraniteSWAForCausalLM HCXVisionV2ForCausalLM HYV3ForCausalLM HYV4ForCausalLM
    HrmTextForCausalLM HunYuanDenseV1ForCausalLM HunYuanMoEV1ForCausalLM HyperCLOVAXForCausalLM
    IQuestCoderForCausalLM IQuestLoopCoderForCausalLM InklingForCausalLM
    InklingForConditionalGeneration InternLM2ForCausalLM InternLM3ForCausalLM Jais2ForCausalLM
    JambaForCausalLM K2HorizonForCausalLM KimiLinearForCausalLM Kolibri1ForCausalLM
    LLaMAForCausalLM LagunaForCausalLM Lfm2ForCausalLM Lfm2MoeForCausalLM Llama4ForCausalLM
    LlamaForCausalLM LongcatFlashForCausalLM LongcatFlashNgramForCausalLM Mamba2ForCausalLM
    MambaForCausalLM MellumForCausalLM MiMoForCausalLM MiMoV2FlashForCausalLM MiMoV2ForCausalLM
    MiniCPM3ForCausalLM MiniCPMForCausalLM MiniMaxM2ForCausalLM MiniMaxM3SparseForCausalLM
    Ministral3ForCausalLM MistralForCausalLM MistralLarge3ForCausalLM MixtralForCausalLM
    MuseGlimmerForCausalLM NanbeigeForCausalLM NemotronForCausalLM NemotronHForCausalLM
    NemotronHPuzzleForCausalLM OPTForCausalLM Olmo2ForCausalLM Olmo3ForCausalLM OlmoForCausalLM
    OlmoHybridForCausalLM OlmoeForCausalLM OrionForCausalLM PanguEmbeddedForCausalLM
    PanguProMoEV2ForCausalLM PanguUltraMoEForCausalLM Param2MoEForCausalLM Phi3ForCausalLM
    PhiForCausalLM PhiMoEForCausalLM Plamo3ForCausalLM Qwen2ForCausalLM Qwen2MoeForCausalLM
    Qwen3ForCausalLM Qwen3MoeForCausalLM Qwen3NextForCausalLM Qwen3_5ForCausalLM
    Qwen3_5MoeForCausalLM Qwen4ExpForCausalLM Rnj1ForCausalLM SarvamMLAForCausalLM
    SarvamMoEForCausalLM SeedOssForCausalLM SmolLM3ForCausalLM SolarForCausalLM
    StableLmForCausalLM Starcoder2ForCausalLM Step1ForCausalLM Step3TextForCausalLM
    Step3p5ForCausalLM Step5ForCausalLM TeleChat2ForCausalLM TeleChat3ForCausalLM
    TeleFLMForCausalLM TransformersForCausalLM TransformersMoEForCausalLM VaultGemmaForCausalLM
    Zamba2ForCausalLM
    """
)
"""They write text."""

MULTIMODAL = _names(
    """
    Alpamayo2Super AriaForConditionalGeneration AudioFlamingo3ForConditionalGeneration
    BagelForConditionalGeneration BailingMoeV3VLForConditionalGeneration
    BeeForConditionalGeneration Blip2ForConditionalGeneration
    Cohere2VisionForConditionalGeneration CohereCompassForConditionalGeneration
    Cosmos3EdgeForConditionalGeneration Cosmos3ForConditionalGeneration DeepseekOCR2ForCausalLM
    DeepseekOCRForCausalLM DeepseekV41ForCausalLM DeepseekV4ForConditionalGeneration
    DeepseekVLV2ForCausalLM DiffusionGemmaForBlockDiffusion Dots3NoteForCausalLM
    DotsOCRForCausalLM Eagle2_5_VLForConditionalGeneration Emu3ForConditionalGeneration
    Ernie4_5_VLMoeForConditionalGeneration Exaone4_5_ForConditionalGeneration
    FunAudioChatForConditionalGeneration GLM4VForCausalLM Gemma3ForConditionalGeneration
    Gemma3nForConditionalGeneration Gemma4ForConditionalGeneration
    Gemma4UnifiedForConditionalGeneration Glm4vForConditionalGeneration
    Glm4vMoeForConditionalGeneration Glm5NextForConditionalGeneration
    GlmOcrForConditionalGeneration Granite4VisionForConditionalGeneration H2OVLChatModel
    HfMoondream HunYuanVLForConditionalGeneration Idefics3ForConditionalGeneration
    InternS1ForConditionalGeneration InternS1ProForConditionalGeneration
    InternS2MobiusForConditionalGeneration InternS2PreviewForConditionalGeneration
    InternVLChatModel InternVLForConditionalGeneration IsaacForConditionalGeneration
    KananaVForConditionalGeneration KeyeForConditionalGeneration
    KeyeVL1_5ForConditionalGeneration KimiK25ForConditionalGeneration
    KimiK3ForConditionalGeneration KimiVLForConditionalGeneration
    Lfm2VlForConditionalGeneration LightOnOCRForConditionalGeneration
    Llama4ForConditionalGeneration Llama_Nemotron_Nano_VL LlavaForConditionalGeneration
    LlavaNextForConditionalGeneration LlavaNextVideoForConditionalGeneration
    LlavaOnevision2ForConditionalGeneration LlavaOnevisionForConditionalGeneration
    MiDashengLMModel MiMoV2OmniForCausalLM MiniCPMO MiniCPMOcrForConditionalGeneration MiniCPMV
    MiniCPMV4_6ForConditionalGeneration MiniCPMV4_7ForConditionalGeneration
    MiniMaxM3SparseForConditionalGeneration Mistral3ForConditionalGeneration
    Molmo2ForConditionalGeneration MolmoForCausalLM Moondream3ForCausalLM
    MoonshotKimiaForCausalLM MossAudioModel MuseGlimmerForConditionalGeneration
    MuseSparkForConditionalGeneration NVLM_D NemotronH_Nano_Omni_Reasoning_V3
    NemotronH_Nano_VL_V2 NemotronH_Omni_Reasoning_V3 NemotronH_Super_Omni_Reasoning_V3
    NemotronParseForConditionalGeneration OpenCUAForConditionalGeneration
    OpenPanguVLForConditionalGeneration OpenVLAForActionPrediction Ovis Ovis2_5
    Ovis2_6ForCausalLM Ovis2_6_MoeForCausalLM PaddleOCRVLForConditionalGeneration
    PaliGemmaForConditionalGeneration Phi3VForCausalLM Phi4ForCausalLMV Phi4MMForCausalLM
    PixtralForConditionalGeneration QianfanOCRForConditionalGeneration
    Qwen2AudioForConditionalGeneration Qwen2VLForConditionalGeneration
    Qwen2_5OmniForConditionalGeneration Qwen2_5OmniModel Qwen2_5_VLForConditionalGeneration
    Qwen3OmniMoeForConditionalGeneration Qwen3VLForConditionalGeneration
    Qwen3VLMoeForConditionalGeneration Qwen3_5ForConditionalGeneration
    Qwen3_5MoeForConditionalGeneration Qwen4ExpForConditionalGeneration
    RForConditionalGeneration RadioMBartPrefixForCausalLM SkyworkR1VChatModel
    SmolVLMForConditionalGeneration Step3VLForConditionalGeneration
    Step3p7ForConditionalGeneration Step5ForConditionalGeneration
    StepVLForConditionalGeneration UltravoxModel UnlimitedOCRForCausalLM
    VoxtralForConditionalGeneration
    """
)
"""They write text about pictures, videos or sounds."""

SPEECH = _names(
    """
    CohereAsrForConditionalGeneration FireRedASR2ForConditionalGeneration
    FunASRForConditionalGeneration GlmAsrForConditionalGeneration
    GraniteSpeechForConditionalGeneration GraniteSpeechPlusForConditionalGeneration
    MossTranscribeDiarizeForConditionalGeneration Qwen3ASRForConditionalGeneration
    Qwen3ASRRealtimeGeneration VibeVoiceAsrForConditionalGeneration VoxtralRealtimeGeneration
    WhisperForConditionalGeneration
    """
)
"""They write down speech, and do little else."""

POOLING = _names(
    """
    BertForMaskedLM BertForSequenceClassification BertForTokenClassification BertModel
    BertSpladeSparseEmbeddingModel BgeM3EmbeddingModel CLIPModel ClefFlashForJointSchema
    ClefOmniForJointSchema ColBERTJinaRobertaModel ColBERTLfm2Model ColBERTModernBertModel
    ColModernVBertForRetrieval ColPaliForRetrieval ColQwen3 ColQwen3_5
    ColUltraVBertForRetrieval D3ForSequenceClassification DeepseekV3BidirectionalModel
    EmbeddingGemma2Model GPT2ForSequenceClassification Gemma2Model Gemma3TextModel GteModel
    GteNewForSequenceClassification GteNewModel HF_ColBERT InternLM2ForRewardModel
    JambaForSequenceClassification JinaEmbeddingsV5Model JinaForRanking JinaVLForRanking
    Lfm2BidirectionalModel LlamaBidirectionalForSequenceClassification LlamaBidirectionalModel
    LlamaModel LlamaNemotronVLForSequenceClassification LlamaNemotronVLModel MistralModel
    ModernBertForSequenceClassification ModernBertForTokenClassification ModernBertModel
    ModernVBertModel NomicBertModel OpenAIPrivacyFilterForTokenClassification OpsColQwen3Model
    Qwen2ForProcessRewardModel Qwen2ForRewardModel Qwen2Model
    Qwen3ASRForcedAlignerForTokenClassification Qwen3VLNemotronEmbedModel RobertaForMaskedLM
    RobertaForSequenceClassification RobertaForTokenClassification RobertaModel SiglipModel
    Terratorch VoyageQwen3BidirectionalEmbedModel XLMRobertaForSequenceClassification
    XLMRobertaForTokenClassification XLMRobertaModel
    """
)
"""They make vectors, scores or labels."""

DRAFTS = _names(
    """
    BailingMoeV25MTPModel BailingMoeV3MTPModel DFlash2BeamDraftModel DFlash2DraftModel
    DFlashDraftModel DFlashLagunaForCausalLM DFlashMuseGlimmerAssistantModel
    DFlashQwen3XPressModel DSparkDraftModel DSparkV41DraftModel DeepSeekMTPModel
    DeepSeekV4MTPModel DeepseekV32MTPModel Dots3NoteMTPModel Eagle3DeepseekV2ForCausalLM
    Eagle3DeepseekV3ForCausalLM Eagle3LlamaForCausalLM Eagle3MiniMaxM2ForCausalLM
    Eagle3Qwen2_5vlForCausalLM Eagle3Qwen3ForCausalLM Eagle3Qwen3vlForCausalLM
    EagleCohereForCausalLM EagleDeepSeekMTPModel EagleLlama4ForCausalLM EagleLlamaForCausalLM
    EagleMiniCPMForCausalLM EagleMistralForCausalLM EagleMistralLarge3ForCausalLM ErnieMTPModel
    Exaone4_5_MTP ExaoneMoeMTP ExtractHiddenStatesModel Gemma4DSparkModel Gemma4MTPModel
    Glm4MoeLiteMTPModel Glm4MoeMTPModel Glm5NextMTPModel GlmOcrMTPModel HYV3MTPModel
    HYV4MTPModel InklingMTPModel InternS2MobiusMTP K3DSparkModel KimiK3MTPModel
    LiLiCorrDraftModel LlamaForCausalLMEagle3 LongCatFlashMTPModel MiMoMTPModel MiMoV2MTPModel
    MiMoV2OmniMTPModel MiniMaxM3MTP MuseGlimmerAssistantModel MuseSparkDSparkModel
    NemotronHMTPModel OpenPanguMTPModel PEagleDraftModel ParseAuxMTPModel
    PeagleLlamaForCausalLM PeagleQwen3ForCausalLM Qwen3DSparkModel Qwen3NextMTP
    Qwen3OmniDSparkModel Qwen3XPressModel Qwen3_5MTP Qwen3_5MoeMTP Qwen4ExpMTP Step3p5MTP
    Step5MTP
    """
)
"""They guess tokens for a larger model, and serve nothing alone."""

REMOVED = {
    name: version
    for version, names in {
        "0.9.2": """
            Phi3SmallForCausalLM
        """,
        "0.10.2": """
            DonutForConditionalGeneration MllamaForConditionalGeneration MotifForCausalLM
            Phi4FlashForCausalLM
        """,
        "0.12.0": """
            Phi4MultimodalForCausalLM
        """,
        "0.22.0": """
            JAISLMHeadModel
        """,
        "0.23.0": """
            BaiChuanForCausalLM BaichuanForCausalLM BambaForCausalLM Dots1ForCausalLM
            ErnieForSequenceClassification ErnieForTokenClassification ErnieModel
            InternLM2VEForCausalLM InternLMForCausalLM MiniMaxForCausalLM MiniMaxM1ForCausalLM
            MiniMaxText01ForCausalLM MiniMaxVL01ForConditionalGeneration QWenLMHeadModel
            QwenVLForConditionalGeneration Tarsier2ForConditionalGeneration XverseForCausalLM
        """,
        "0.24.0": """
            AquilaForCausalLM AquilaModel AyaVisionForConditionalGeneration Grok1ForCausalLM
            Grok1ModelForCausalLM MantisForConditionalGeneration
            MusicFlamingoForConditionalGeneration TarsierForConditionalGeneration
        """,
        "0.25.0": """
            FuyuForCausalLM PersimmonForCausalLM TeleChatForCausalLM
        """,
        "0.26.0": """
            OuroForCausalLM Plamo2ForCausalLM
        """,
        "0.28.0": """
            ArcticForCausalLM ChameleonForConditionalGeneration Cheers
            CheersForConditionalGeneration Fairseq2LlamaForCausalLM
            FireRedLIDForConditionalGeneration GritLM HCXVisionForCausalLM MPTForCausalLM
            MptForCausalLM PrithviGeoSpatialMAE RWForCausalLM StableLMEpochForCausalLM
        """,
    }.items()
    for name in names.split()
}
"""Architecture to the last version that knew it."""

PLUGINS = {
    "BartForConditionalGeneration": "https://github.com/vllm-project/bart-plugin",
    "BartModel": "https://github.com/vllm-project/bart-plugin",
    "Florence2ForConditionalGeneration": "https://github.com/vllm-project/bart-plugin",
    "MBartForConditionalGeneration": "https://github.com/vllm-project/bart-plugin",
    "Nemotron3_5AsrForRNNT": "https://github.com/Sohaib-Ahmed21/vllm-nemotron-asr-plugin",
}
"""Architecture to the plug-in that brings it; the image has none."""

ALL = TEXT | MULTIMODAL | SPEECH | POOLING
"""All that are served."""
