/// Which presentation contexts are accepted, and with which transfer syntax.
public struct PresentationContextPolicy: Equatable, Sendable {
    /// Storage SOP classes; verification is always accepted.
    public var storageClasses: Set<UID>

    /// In order of preference: the first of ours that the requestor proposed is taken.
    public var transferSyntaxes: [UID]

    /// The same for classes with pixel data, after ``transferSyntaxes``: what is compressed without loss and can be
    /// decoded here.
    public var compressedSyntaxes: [UID]

    public init(
        storageClasses: Set<UID> = PresentationContextPolicy.defaultStorageClasses,
        transferSyntaxes: [UID] = [.explicitLittleEndian, .implicitLittleEndian],
        compressedSyntaxes: [UID] = [.jpegLosslessFirstOrder, .jpegLossless, .jpegLSLossless, .rleLossless]
    ) {
        self.storageClasses = storageClasses
        self.transferSyntaxes = transferSyntaxes
        self.compressedSyntaxes = compressedSyntaxes
    }

    public static let defaultStorageClasses: Set<UID> = [
        .nuclearMedicineImage, .ctImage, .enhancedCTImage, .petImage, .enhancedPETImage, .rtStructureSet, .rtDose,
        .rtPlan, .segmentation, .spatialRegistration, .radiopharmaceuticalDoseReport,
    ]

    func judge(_ context: ProposedContext) -> JudgedContext {
        if context.abstractSyntax == .storageCommitment { return judgeCommitment(context) }
        guard context.abstractSyntax == .verification || storageClasses.contains(context.abstractSyntax) else {
            return JudgedContext(proposed: context, outcome: .abstractSyntaxNotSupported)
        }
        let hasPixels = UID.imageClasses.contains(context.abstractSyntax)
        let ours = transferSyntaxes + (hasPixels ? compressedSyntaxes : [])
        guard let syntax = ours.first(where: context.transferSyntaxes.contains) else {
            return JudgedContext(proposed: context, outcome: .transferSyntaxesNotSupported)
        }
        return JudgedContext(proposed: context, outcome: .accepted(transferSyntax: syntax))
    }
}

extension PresentationContextPolicy {
    /// An archive that was asked to commit itself reports on an association of its own, as the provider that it is.
    /// Some do not say that they are: nothing but reports is taken in this context anyway.
    private func judgeCommitment(_ context: ProposedContext) -> JudgedContext {
        // The default syntax, which everybody has to propose, is the only one that reports are read in.
        let syntax = UID.implicitLittleEndian
        let isProposed = context.transferSyntaxes.contains(syntax)
        return JudgedContext(
            proposed: context,
            outcome: isProposed ? .accepted(transferSyntax: syntax) : .transferSyntaxesNotSupported)
    }
}

/// A proposed presentation context and our answer to it.
struct JudgedContext: Equatable {
    let proposed: ProposedContext
    let outcome: Outcome

    /// - Source: DICOM PS3.8 table 9-18.
    enum Outcome: Equatable {
        case accepted(transferSyntax: UID)
        case abstractSyntaxNotSupported
        case transferSyntaxesNotSupported

        var code: UInt8 {
            switch self {
            case .accepted: 0
            case .abstractSyntaxNotSupported: 3
            case .transferSyntaxesNotSupported: 4
            }
        }
    }

    /// The requestor is the provider here, and nowhere else.
    var requestorProvides: Bool { proposed.requestorProvides && proposed.abstractSyntax == .storageCommitment }

    var transferSyntax: UID? {
        if case .accepted(let syntax) = outcome { syntax } else { nil }
    }
}
